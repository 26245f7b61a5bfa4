// What a layer does to rows of floats between its matrices. Rows need no alignment. An output may
// be the same row as an input.
//
// Sums have one order at every level: sixteen partial sums, of which number j takes the elements j,
// j + 16, j + 32 ...; then those 8 apart are added, then 4, 2 and 1 apart. The statements:
// scalar/rows.cpp, and scalar/functions.h for exp, tanh and the activations.
#pragma once

#include <cstddef>

#include "kernels/activation.h"

namespace hearth::kernels {

/// out = x / sqrt(mean of x^2 + eps) * weight (arXiv 1910.07467).
using RmsNorm = void (*)(const float* x, const float* weight, std::size_t n, float eps, float* out);

/// The same of x - mean of x, plus a bias that may be absent: nullptr (arXiv 1607.06450).
using LayerNorm = void (*)(const float* x, const float* weight, const float* bias, std::size_t n,
                           float eps, float* out);

/// out = a + b.
using Add = void (*)(const float* a, const float* b, std::size_t n, float* out);

/// out = factor * x.
using Scale = void (*)(const float* x, float factor, std::size_t n, float* out);

/// out = cap * tanh(x / cap).
using Softcap = void (*)(const float* x, float cap, std::size_t n, float* out);

/// out = activation(x).
using Activate = void (*)(const float* x, std::size_t n, float* out);

/// out = activation(gate) * up (arXiv 2002.05202).
using Glu = void (*)(const float* gate, const float* up, std::size_t n, float* out);

/// Rotates n_pairs pairs (a, b) of every head of a row by an angle each: a cos - b sin, b cos +
/// a sin (arXiv 2104.09864). Heads are head_dim apart, at least 2 n_pairs.
/// rope_halves: pairs (x[i], x[i + n_pairs]); cosines and sines [n_pairs].
/// rope_interleaved: pairs (x[2 i], x[2 i + 1]); cosines and sines [2 n_pairs], one for each
/// element: c, c and -s, s for a pair.
using Rope = void (*)(float* x, std::size_t n_heads, std::size_t head_dim, const float* cosines,
                      const float* sines, std::size_t n_pairs);

struct RowKernels {
  RmsNorm rms_norm = nullptr;
  LayerNorm layer_norm = nullptr;
  Add add = nullptr;
  Scale scale = nullptr;
  Softcap softcap = nullptr;
  Activate activate[kActivations] = {};  // by Activation
  Glu glu[kActivations] = {};            // by Activation
  Rope rope_halves = nullptr;
  Rope rope_interleaved = nullptr;
};

}  // namespace hearth::kernels
