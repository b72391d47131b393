/* Times `blur` and checks what it returns against a plain computation in double. Do not modify. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE 256
#define ROUNDS 24
#define CALLS 7

void blur(int size, int rounds, float *picture, float *result);

static float picture[SIZE * SIZE], result[SIZE * SIZE];
static double expected[SIZE * SIZE], next[SIZE * SIZE];

static int slower(const void *first, const void *second)
{
    return (*(const double *)first > *(const double *)second) - (*(const double *)first < *(const double *)second);
}

static void compute(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int row = 1; row < SIZE - 1; row++)
            for (int column = 1; column < SIZE - 1; column++) {
                double sum = 0;
                for (int down = -1; down <= 1; down++)
                    for (int right = -1; right <= 1; right++)
                        sum += expected[(row + down) * SIZE + column + right] * 0.25 / ((down ? 2 : 1) * (right ? 2 : 1));
                next[row * SIZE + column] = sum / sqrt(1 + sum * sum);
            }
        for (int row = 1; row < SIZE - 1; row++)
            memcpy(expected + row * SIZE + 1, next + row * SIZE + 1, (SIZE - 2) * sizeof *next);
    }
}

int main(void)
{
    double seconds[CALLS], worst = 0;
    const char *seed = getenv("EVO_SEED");
    srand(seed ? (unsigned)atoi(seed) : 0);
    for (int call = 0; call < CALLS; call++) {
        for (int at = 0; at < SIZE * SIZE; at++)
            expected[at] = picture[at] = result[at] = (float)rand() / RAND_MAX;
        const clock_t start = clock();
        blur(SIZE, ROUNDS, picture, result);
        seconds[call] = (double)(clock() - start) / CLOCKS_PER_SEC;
        compute();
        for (int row = 1; row < SIZE - 1; row++)
            for (int column = 1; column < SIZE - 1; column++) {
                const double wrong = fabs(result[row * SIZE + column] - expected[row * SIZE + column]);
                worst = wrong <= worst ? worst : wrong; /* nan stays */
            }
    }
    qsort(seconds, CALLS, sizeof *seconds, slower);
    printf("seconds: %.6f\n", seconds[CALLS / 2]);
    printf("max_error: %.3e\n", worst);
    return 0;
}
