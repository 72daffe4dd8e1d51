/* T1 as one would write it for this network alone: fixed sizes, batch innermost so that the compiler vectorizes over it.
   Parameters of one network, 105 floats: w0[2][8] b0[8] w1[8][8] b1[8] w2[8] b2. Inputs are [2][N], targets [N]. */
#include <math.h>

enum { I = 2, H = 8, N = 32, PARAMETERS = I * H + H + H * H + H + H + 1 };

static float step(float *p, const float *restrict x, const float *restrict y, float rate) {
    float *w0 = p, *b0 = w0 + I * H, *w1 = b0 + H, *b1 = w1 + H * H, *w2 = b1 + H, *b2 = w2 + H;
    float h0[H][N], h1[H][N], d[N], d0[H][N], d1[H][N], g[PARAMETERS], loss = 0;
    float *gw0 = g, *gb0 = gw0 + I * H, *gw1 = gb0 + H, *gb1 = gw1 + H * H, *gw2 = gb1 + H, *gb2 = gw2 + H;

    for (int j = 0; j < H; j++)
        for (int n = 0; n < N; n++) h0[j][n] = tanhf(b0[j] + w0[j] * x[n] + w0[H + j] * x[N + n]);
    for (int j = 0; j < H; j++) {
        float z[N];
        for (int n = 0; n < N; n++) z[n] = b1[j];
        for (int i = 0; i < H; i++)
            for (int n = 0; n < N; n++) z[n] += w1[i * H + j] * h0[i][n];
        for (int n = 0; n < N; n++) h1[j][n] = tanhf(z[n]);
    }
    for (int n = 0; n < N; n++) d[n] = *b2 - y[n];
    for (int i = 0; i < H; i++)
        for (int n = 0; n < N; n++) d[n] += w2[i] * h1[i][n];
    for (int n = 0; n < N; n++) loss += d[n] * d[n];

    *gb2 = 0;
    for (int n = 0; n < N; n++) d[n] *= 2.0f / N, *gb2 += d[n];
    for (int j = 0; j < H; j++) {
        float sum = 0, bias = 0;
        for (int n = 0; n < N; n++) {
            sum += h1[j][n] * d[n];
            d1[j][n] = w2[j] * d[n] * (1 - h1[j][n] * h1[j][n]);
            bias += d1[j][n];
        }
        gw2[j] = sum, gb1[j] = bias;
    }
    for (int i = 0; i < H; i++) {
        float back[N] = {0}, bias = 0, first = 0, second = 0;
        for (int j = 0; j < H; j++) {
            float sum = 0;
            for (int n = 0; n < N; n++) sum += h0[i][n] * d1[j][n], back[n] += w1[i * H + j] * d1[j][n];
            gw1[i * H + j] = sum;
        }
        for (int n = 0; n < N; n++) {
            d0[i][n] = back[n] * (1 - h0[i][n] * h0[i][n]);
            bias += d0[i][n], first += x[n] * d0[i][n], second += x[N + n] * d0[i][n];
        }
        gb0[i] = bias, gw0[i] = first, gw0[H + i] = second;
    }
    for (int k = 0; k < PARAMETERS; k++) p[k] -= rate * g[k];
    return loss / N;
}

/* `steps` steps of each of `members` networks; batch `start`, start + 1, … of the pool; losses[steps][members]. */
void train(int steps, int members, int start, int batches, float *p, const float *x, const float *y, const float *rates,
           float *losses) {
    for (int s = 0; s < steps; s++) {
        int batch = (start + s) % batches;
        for (int e = 0; e < members; e++) {
            long k = (long)batch * members + e;
            losses[s * members + e] = step(p + e * PARAMETERS, x + k * I * N, y + k * N, rates[e]);
        }
    }
}
