// How much work a model asks for: multiplications by the kind of arithmetic, bytes from memory.
#pragma once

#include "engine/measure/ceilings.h"
#include "engine/model/model.h"
#include "gguf/reader.h"

namespace hearth {

/// Operations of each kind (two for a multiplication and its addition), and bytes read.
struct Work {
  double int8 = 0;  // with quantised weights
  double bf16 = 0;
  double fma = 0;  // with F32 and F16 weights
  double bytes = 0;

  double operations() const { return int8 + bf16 + fma; }

  /// The least time that a machine needs for the arithmetic, and for the memory, in seconds.
  double arithmetic_seconds(const Ceilings& ceilings) const {
    return int8 / ceilings.int8 + bf16 / ceilings.bf16 + fma / ceilings.fma;
  }
  double memory_seconds(const Ceilings& ceilings) const { return bytes / ceilings.read; }
};

Work operator+(const Work& a, const Work& b);
Work operator*(double factor, const Work& work);

class ModelCost {
 public:
  /// `file` is the one that `model` was loaded from.
  ModelCost(const gguf::Reader& file, const Model& model);

  /// Prefill of `n_tokens` after `depth` others, in passes of n_ubatch. As usual, only the matrices
  /// of the layers count: attention and the head, which serves the last token only, do not.
  Work prefill(int n_tokens, int depth, int n_ubatch) const;

  /// One step of `n_batch` sequences that have `depth` tokens behind them: layers and head, and
  /// the weights, once, with the keys and values of each sequence as the bytes.
  Work decode(int n_batch, int depth) const;

 private:
  struct Part {  // matrices that each token multiplies all of, or experts that it chooses among
    Work per_token;
    double bytes = 0;
    double share = 1.0;  // of it that one token needs
  };
  Work layers(int n_tokens) const;
  double kv_bytes(int depth) const;

  const Model& model_;
  Part dense_;
  Part experts_;
  Part head_;
};

}  // namespace hearth
