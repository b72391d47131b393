/* The product of two square matrices, row by row, as textbooks write it. This file evolves. */

#define BLOCK 240 /* one of: 12, 20, 24, 40, 60, 120, 240 */

void multiply(int size, const double *a, const double *b, double *product)
{
    for (int first = 0; first < size; first += BLOCK) {
        const int last = first + BLOCK < size ? first + BLOCK : size;
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++)
                for (int inner = first; inner < last; inner++)
                    product[row * size + column] += a[row * size + inner] * b[inner * size + column];
        }
    }
}
