/* Times `multiply` and checks what it returns. Do not modify. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SIZE 240
#define CALLS 5

void multiply(int size, const double *a, const double *b, double *product);

static double a[SIZE * SIZE], b[SIZE * SIZE], product[SIZE * SIZE];

static int slower(const void *first, const void *second)
{
    return (*(const double *)first > *(const double *)second) - (*(const double *)first < *(const double *)second);
}

/* The largest error of the product, of which every element is computed again. */
static double error(void)
{
    double largest = 0;
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++) {
            double expected = 0;
            for (int inner = 0; inner < SIZE; inner++)
                expected += a[row * SIZE + inner] * b[inner * SIZE + column];
            const double difference = fabs(product[row * SIZE + column] - expected);
            largest = difference <= largest ? largest : difference; /* nan stays */
        }
    return largest;
}

int main(void)
{
    double seconds[CALLS], worst = 0;
    const char *seed = getenv("EVO_SEED");
    srand(seed ? (unsigned)atoi(seed) : 0);
    for (int call = 0; call < CALLS; call++) {
        for (int at = 0; at < SIZE * SIZE; at++) {
            a[at] = (double)rand() / RAND_MAX - 0.5;
            b[at] = (double)rand() / RAND_MAX - 0.5;
            product[at] = 0;
        }
        const clock_t start = clock();
        multiply(SIZE, a, b, product);
        seconds[call] = (double)(clock() - start) / CLOCKS_PER_SEC;
        const double wrong = error();
        worst = wrong <= worst ? worst : wrong;
    }
    qsort(seconds, CALLS, sizeof *seconds, slower);
    printf("seconds: %.6f\n", seconds[CALLS / 2]);
    printf("max_error: %.3e\n", worst);
    return 0;
}
