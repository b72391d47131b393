/* Blurs a picture, and brings its contrast out: loops that a compiler can unroll, inline and vectorise, or not. */

#include <math.h>

static float weighed(const float *picture, int size, int row, int column)
{
    float sum = 0;
    for (int down = -1; down <= 1; down++)
        for (int right = -1; right <= 1; right++)
            sum += picture[(row + down) * size + column + right] * (down && right ? 0.0625f : down || right ? 0.125f : 0.25f);
    return sum;
}

static float contrast(float value)
{
    return value / sqrtf(1.0f + value * value);
}

/* Writes `rounds` blurs of `picture`, size × size numbers, into `result`; the rim stays as it is. */
void blur(int size, int rounds, float *picture, float *result)
{
    for (int round = 0; round < rounds; round++) {
        for (int row = 1; row < size - 1; row++)
            for (int column = 1; column < size - 1; column++)
                result[row * size + column] = contrast(weighed(picture, size, row, column));
        for (int row = 1; row < size - 1; row++)
            for (int column = 1; column < size - 1; column++)
                picture[row * size + column] = result[row * size + column];
    }
}
