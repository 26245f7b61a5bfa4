// What attention needs besides the products: which keys a row sees, and what becomes of a score.
struct Keys {
  uint first;
  uint last;  // one past
};

Keys visible_keys(Row row, uint window, bool causal) {
  if (!causal) return Keys(0, row.end);
  const uint past = row.position + 1;
  return Keys(window > 0 && past > window ? past - window : 0, past);
}

/// Slope of ALiBi for head h: those past the largest power of two below n_head take the odd members of the sequence
/// with half the step.
float alibi_slope(uint h, uint n_head, float max_bias) {
  if (max_bias == 0.0) return 0.0;
  uint power = 1;
  while (power * 2 <= n_head) power *= 2;
  const float exponent = h < power ? -max_bias * float(h + 1) / float(power)
                                   : -0.5 * max_bias * float(2 * (h - power) + 1) / float(power);
  return exp2(exponent);
}

float finish_score(float product, float scale, float softcap, float slope, uint position, uint key) {
  float score = product * scale;
  if (softcap > 0.0) score = softcap * tanh_exact(score / softcap);
  return score - slope * abs(float(position) - float(key));
}
