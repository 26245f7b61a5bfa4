// Activations, by their numbers in kernels/activation.h. Needs math.glsl.
layout(constant_id = ACTIVATION_CONSTANT) const uint ACTIVATION = 0;

float activate(float v) {
  switch (ACTIVATION) {
    case 0: return v / (1.0 + exp(-v));
    case 1: return 0.5 * v * (1.0 + tanh_exact(0.7978845608 * (v + 0.044715 * v * v * v)));
    case 2: return 0.5 * v * (1.0 + erf_exact(v * 0.7071067812));
    case 3: return max(v, 0.0);
    default: return max(v, 0.0) * max(v, 0.0);
  }
}
