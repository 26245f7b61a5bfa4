// Loops that measure what a machine can do at most (BusyLoop and ReadMemory in kernel_table.h),
// written once for the vectors of every level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/generic/panel_prefetch.h"
#include "kernels/kernel_table.h"

namespace hearth::kernels {
namespace {

/// The exclusive or of a vector's 64-bit words.
template <class Vector>
std::uint64_t folded(Vector vector) {
  std::uint64_t words[(sizeof(Vector) + 7) / 8] = {};
  std::memcpy(words, &vector, sizeof vector);
  std::uint64_t all = 0;
  for (const std::uint64_t word : words) all ^= word;
  return all;
}

/// Op::step on as many accumulators, which do not depend on each other. Each is named by a constant
/// and never by its address: one that had an address would be stored in every round, and where a
/// core stores a vector in two cycles that is all that would be measured.
template <class Op, std::size_t... i>
std::uint64_t busy_chains(std::uint64_t rounds, std::index_sequence<i...>) {
  typename Op::Vector chains[] = {Op::start(static_cast<int>(i))...};
  const typename Op::Vector a = Op::start(static_cast<int>(rounds & 7));  // unknown to the compiler
  const typename Op::Vector b = Op::start(static_cast<int>(rounds & 3));
  for (std::uint64_t round = 0; round < rounds; ++round) {
    ((chains[i] = Op::step(chains[i], a, b)), ...);
  }
  return (folded(chains[i]) ^ ...);
}

/// Op::kChains are enough to hide the latency of the instruction, and few enough to stay in
/// registers.
template <class Op>
std::uint64_t busy_loop(std::uint64_t rounds) {
  return busy_chains<Op>(rounds, std::make_index_sequence<Op::kChains>());
}

template <class Op>
inline constexpr std::uint64_t kBusyOperations = 2ULL * Op::kChains* Op::kMultiplications;

/// As the matrix kernels read weights when there is nothing to compute: eight streams, far apart,
/// and what comes next is asked for.
template <class V>
std::uint64_t read_memory(const void* memory, std::size_t bytes) {
  constexpr int kStreams = 8;
  constexpr std::size_t kStep = 2 * kCacheLine;  // of a stream at once
  constexpr std::size_t kVector = sizeof(typename V::Vector);
  static_assert(1024 % (kStreams * kStep) == 0);
  const std::size_t apart = bytes / kStreams;
  const auto* p = static_cast<const std::byte*>(memory);
  typename V::Vector sums[kStreams];
  for (auto& sum : sums) sum = V::zero();
  for (std::size_t at = 0; at < apart; at += kStep) {
#pragma GCC unroll 8
    for (std::size_t s = 0; s < kStreams; ++s) {
      const std::byte* stream = p + s * apart + at;
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kStep; v += kVector) {
        if (v % kCacheLine == 0) __builtin_prefetch(stream + v + kPrefetchAhead);
        sums[s] = V::exclusive_or(sums[s], V::load(stream + v));
      }
    }
  }
  std::uint64_t all = 0;
  for (const auto& sum : sums) all ^= folded(sum);
  return all;
}

/// Float multiply-adds of a level's vectors S (its simd.h), in as many chains as Int8Op has.
template <class S, class Int8Op>
struct BusyFma {
  using Vector = typename S::Float;
  static constexpr int kChains = Int8Op::kChains;
  static constexpr int kMultiplications = S::kLanes;
  static Vector start(int i) { return S::set_float(0.5F + 0.001F * static_cast<float>(i)); }
  static Vector step(Vector chain, Vector a, Vector b) { return S::fma(a, b, chain); }
};

/// What read_memory needs, of a level's vectors.
template <class S>
struct VectorWords {
  using Vector = typename S::Int;
  static Vector zero() { return S::zero(); }
  static Vector load(const std::byte* p) { return S::load(p); }
  static Vector exclusive_or(Vector a, Vector b) { return S::bit_xor(a, b); }
};

template <class Int8Op, class FloatOp, class Words>
void install_busy_loops(KernelTable& table) {
  table.busy_int8 = {busy_loop<Int8Op>, kBusyOperations<Int8Op>};
  table.busy_fma = {busy_loop<FloatOp>, kBusyOperations<FloatOp>};
  table.busy_bf16 = table.busy_fma;
  table.read_memory = read_memory<Words>;
}

/// The same for a level: Int8Op is the instruction that its matrix kernels live on.
template <class S, class Int8Op>
void install_ceilings(KernelTable& table) {
  install_busy_loops<Int8Op, BusyFma<S, Int8Op>, VectorWords<S>>(table);
}

}  // namespace
}  // namespace hearth::kernels
