// Sums and maxima over a workgroup: by a tree in shared memory, for which WG is a power of two, or with SUBGROUP by the
// operations of subgroups, whose results then meet in shared memory. All invocations call them, and are at a barrier.
shared float reduce_scratch[WG];

#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_arithmetic : require

float workgroup_sum(float value) {
  const float own = subgroupAdd(value);
  if (subgroupElect()) reduce_scratch[gl_SubgroupID] = own;
  barrier();
  float sum = reduce_scratch[0];
  for (uint i = 1; i < gl_NumSubgroups; ++i) sum += reduce_scratch[i];
  barrier();
  return sum;
}

float workgroup_max(float value) {
  const float own = subgroupMax(value);
  if (subgroupElect()) reduce_scratch[gl_SubgroupID] = own;
  barrier();
  float highest = reduce_scratch[0];
  for (uint i = 1; i < gl_NumSubgroups; ++i) highest = max(highest, reduce_scratch[i]);
  barrier();
  return highest;
}

#else

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

#endif
