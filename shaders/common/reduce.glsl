// Sums and maxima over a workgroup, by a tree in shared memory: WG is a power of two.
shared float reduce_scratch[WG];

float workgroup_sum(float value) {
  reduce_scratch[lane()] = value;
  barrier();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (lane() < step) reduce_scratch[lane()] += reduce_scratch[lane() + step];
    barrier();
  }
  const float sum = reduce_scratch[0];
  barrier();
  return sum;
}

float workgroup_max(float value) {
  reduce_scratch[lane()] = value;
  barrier();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (lane() < step) reduce_scratch[lane()] = max(reduce_scratch[lane()], reduce_scratch[lane() + step]);
    barrier();
  }
  const float highest = reduce_scratch[0];
  barrier();
  return highest;
}
