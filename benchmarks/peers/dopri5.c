/* Scalar Dormand-Prince 5(4) with daily doses; the equations are put before this text.

   The same rules as the engine it races with: first same as last, the root mean square of the error in units of
   atol + rtol max(|y|, |y_new|), step factor 0.9 err^(-1/5) within [0.2, 5], no growth after a rejection, a step that
   ends on the dose exactly, and after a dose the step that did well after the last one. Coefficients: Dormand and
   Prince, J. Comput. Appl. Math. 6 (1980) 19-26. */

#define SUM(expression) for (int i = 0; i < STATES; i++) { z[i] = y[i] + h * (expression); }

static void one_day(double *restrict y, const double *restrict c, double rtol, double atol, double *restrict restart)
{
    double k1[STATES], k2[STATES], k3[STATES], k4[STATES], k5[STATES], k6[STATES], k7[STATES], z[STATES];
    double t = 0.0, h = *restart, largest = 5.0;
    int first = 1;
    rhs(t, y, c, k1);
    while (t < 1.0) {
        const double rest = 1.0 - t;
        const int reaches = h >= 0.999999 * rest;
        h = reaches ? rest : (h > 0.5 * rest ? 0.5 * rest : h);
        SUM(1.0 / 5 * k1[i])
        rhs(t + h / 5, z, c, k2);
        SUM(3.0 / 40 * k1[i] + 9.0 / 40 * k2[i])
        rhs(t + 0.3 * h, z, c, k3);
        SUM(44.0 / 45 * k1[i] - 56.0 / 15 * k2[i] + 32.0 / 9 * k3[i])
        rhs(t + 0.8 * h, z, c, k4);
        SUM(19372.0 / 6561 * k1[i] - 25360.0 / 2187 * k2[i] + 64448.0 / 6561 * k3[i] - 212.0 / 729 * k4[i])
        rhs(t + 8 * h / 9, z, c, k5);
        SUM(9017.0 / 3168 * k1[i] - 355.0 / 33 * k2[i] + 46732.0 / 5247 * k3[i] + 49.0 / 176 * k4[i]
            - 5103.0 / 18656 * k5[i])
        rhs(t + h, z, c, k6);
        SUM(35.0 / 384 * k1[i] + 500.0 / 1113 * k3[i] + 125.0 / 192 * k4[i] - 2187.0 / 6784 * k5[i] + 11.0 / 84 * k6[i])
        rhs(t + h, z, c, k7);
        double sum = 0.0;
        for (int i = 0; i < STATES; i++) {
            const double e = h * (71.0 / 57600 * k1[i] - 71.0 / 16695 * k3[i] + 71.0 / 1920 * k4[i]
                                  - 17253.0 / 339200 * k5[i] + 22.0 / 525 * k6[i] - 1.0 / 40 * k7[i]);
            const double a = fabs(y[i]), b = fabs(z[i]);
            const double scaled = e / (atol + rtol * (a > b ? a : b));
            sum += scaled * scaled;
        }
        sum /= STATES;
        double factor = 0.9 * pow(sum > 1e-30 ? sum : 1e-30, -0.1);
        factor = factor > largest ? largest : (factor < 0.2 ? 0.2 : factor);
        if (sum <= 1.0) {
            t = reaches ? 1.0 : t + h;
            for (int i = 0; i < STATES; i++) {
                y[i] = z[i];
                k1[i] = k7[i];
            }
            if (first) {
                *restart = h * factor;
                first = 0;
            }
            largest = 5.0;
        } else {
            largest = 1.0;
        }
        h *= factor;
    }
}

void solve(int members, int days, int target, int outputs, const int *recorded_days, const double *constants,
           const double *initial, const double *doses, double rtol, double atol, double *values)
{
    for (int member = 0; member < members; member++) {
        double y[STATES], restart = 1e-3;
        int output = 0;
        for (int i = 0; i < STATES; i++)
            y[i] = initial[member * STATES + i];
        for (int day = 0; day <= days; day++) {
            if (day < days)
                y[target] += doses[member];
            if (output < outputs && recorded_days[output] == day) {
                for (int i = 0; i < STATES; i++)
                    values[(member * outputs + output) * STATES + i] = y[i];
                output++;
            }
            if (day < days)
                one_day(y, constants + member * CONSTANTS, rtol, atol, &restart);
        }
    }
}
