#include "engine/device/reference_device.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/device/host_buffer.h"
#include "engine/device/math.h"
#include "kernels/dispatch.h"

namespace hearth {
namespace {

/// The file's own rows, dequantised one at a time when they are needed.
class MappedMatrix final : public Matrix {
 public:
  explicit MappedMatrix(const HostMatrix& host)
      : Matrix(host.name, host.rows, host.columns),
        data_(host.data.data()),
        row_bytes_(row_bytes(quant_type_info(host.type), static_cast<std::size_t>(host.columns))),
        dequantize_(kernels::scalar_kernels().dequantize_row[host.type]) {
    HEARTH_CHECK(dequantize_ != nullptr);
    HEARTH_CHECK(host.data.size() == row_bytes_ * static_cast<std::size_t>(host.rows));
  }

  void read_row(std::int64_t row, float* out) const {
    dequantize_(data_ + static_cast<std::size_t>(row) * row_bytes_, out,
                static_cast<std::size_t>(columns()));
  }

 private:
  const std::byte* data_;
  std::size_t row_bytes_;
  kernels::DequantizeRow dequantize_;
};

const MappedMatrix& mapped(const Matrix& matrix) {
  return static_cast<const MappedMatrix&>(matrix);
}

/// Keys and values as float32 [n_slots][n_ctx][columns] per layer.
class HostKvCache final : public KvCache {
 public:
  explicit HostKvCache(const KvShape& shape) : KvCache(shape) {
    const auto rows =
        static_cast<std::size_t>(shape.n_slots) * static_cast<std::size_t>(shape.n_ctx);
    for (const KvShape::Layer& layer : shape.layers) {
      k_.emplace_back(rows * static_cast<std::size_t>(layer.k_columns));
      v_.emplace_back(rows * static_cast<std::size_t>(layer.v_columns));
    }
  }

  float* k(int layer, int slot, int position) const {
    return row(k_, layer, slot, position, columns(layer).k_columns);
  }
  float* v(int layer, int slot, int position) const {
    return row(v_, layer, slot, position, columns(layer).v_columns);
  }

 private:
  const KvShape::Layer& columns(int layer) const {
    return shape().layers[static_cast<std::size_t>(layer)];
  }
  float* row(const std::vector<HostFloats>& rows, int layer, int slot, int position,
             int columns) const {
    HEARTH_CHECK(slot < shape().n_slots && position < shape().n_ctx);
    const auto number = static_cast<std::size_t>(slot) * static_cast<std::size_t>(shape().n_ctx) +
                        static_cast<std::size_t>(position);
    return rows[static_cast<std::size_t>(layer)].data() +
           number * static_cast<std::size_t>(columns);
  }

  std::vector<HostFloats> k_;  // [n_layer][n_slots * n_ctx * k_columns]
  std::vector<HostFloats> v_;
};

/// An activation costs about as much as this many multiplications.
constexpr std::int64_t kActivationCost = 16;

/// Room for one dequantised row, kept between calls.
float* row_scratch(std::int64_t n) {
  thread_local std::vector<float> scratch;
  if (scratch.size() < static_cast<std::size_t>(n)) scratch.resize(static_cast<std::size_t>(n));
  return scratch.data();
}

struct KeyRange {
  int first;
  int last;  // one past
};

/// The positions that a row's token sees in its sequence.
KeyRange visible_keys(const AttentionSpec& spec, const Step::Row& row) {
  if (!spec.causal) return {0, row.end};
  const int first = spec.window > 0 ? std::max(0, row.position - spec.window + 1) : 0;
  return {first, row.position + 1};
}

/// One head of one query: softmax(scale q . k + bias) v, into out [head_dim_v].
void attend(float* out, const float* q, const HostKvCache& cache, const AttentionSpec& spec,
            int head, const Step::Row& row) {
  const KeyRange keys = visible_keys(spec, row);
  const int head_kv = head / (spec.n_head / spec.n_head_kv);
  const double slope =
      spec.max_alibi_bias > 0.0F ? alibi_slope(head, spec.n_head, spec.max_alibi_bias) : 0.0;
  std::vector<double> weight(static_cast<std::size_t>(keys.last - keys.first));
  double highest = -std::numeric_limits<double>::infinity();
  for (int p = keys.first; p < keys.last; ++p) {
    const float* k = cache.k(spec.layer, row.slot, p) + head_kv * spec.head_dim_k;
    double score = dot(q, k, spec.head_dim_k) * static_cast<double>(spec.scale);
    if (spec.softcap > 0.0F) {
      const double cap = spec.softcap;
      score = cap * stable_tanh(score / cap);
    }
    score -= slope * std::abs(row.position - p);
    if (spec.relative_bias) {
      score += static_cast<double>(spec.relative_bias->of_head(head)[p - row.position]);
    }
    weight[static_cast<std::size_t>(p - keys.first)] = score;
    highest = std::max(highest, score);
  }
  double total = 0.0;
  for (double& w : weight) {
    w = exp_or_nan(w - highest);
    total += w;
  }
  std::vector<double> sum(static_cast<std::size_t>(spec.head_dim_v));
  for (int p = keys.first; p < keys.last; ++p) {
    const float* v = cache.v(spec.layer, row.slot, p) + head_kv * spec.head_dim_v;
    const double w = weight[static_cast<std::size_t>(p - keys.first)] / total;
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += w * static_cast<double>(v[j]);
  }
  for (std::size_t j = 0; j < sum.size(); ++j) out[j] = static_cast<float>(sum[j]);
}

}  // namespace

std::unique_ptr<Matrix> ReferenceDevice::load(const HostMatrix& matrix) {
  return std::make_unique<MappedMatrix>(matrix);
}

std::unique_ptr<Buffer> ReferenceDevice::allocate(std::size_t n) {
  return std::make_unique<HostBuffer>(n);
}

std::unique_ptr<KvCache> ReferenceDevice::make_kv_cache(const KvShape& shape) {
  return std::make_unique<HostKvCache>(shape);
}

void ReferenceDevice::upload(Tensor out, std::span<const float> data) {
  const auto columns = static_cast<std::size_t>(out.columns);
  HEARTH_CHECK(data.size() == columns * static_cast<std::size_t>(out.rows));
  for (int i = 0; i < out.rows; ++i) {
    std::copy_n(data.data() + static_cast<std::size_t>(i) * columns, columns, row_of(out, i));
  }
}

void ReferenceDevice::download(std::span<float> data, Tensor x) {
  const auto columns = static_cast<std::size_t>(x.columns);
  HEARTH_CHECK(data.size() == columns * static_cast<std::size_t>(x.rows));
  for (int i = 0; i < x.rows; ++i) {
    std::copy_n(row_of(x, i), columns, data.data() + static_cast<std::size_t>(i) * columns);
  }
}

void ReferenceDevice::get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) {
  HEARTH_CHECK(out.columns == table.columns() && static_cast<std::size_t>(out.rows) == ids.size());
  for (int i = 0; i < out.rows; ++i) {
    const std::int32_t id = ids[static_cast<std::size_t>(i)];
    HEARTH_CHECK(id >= 0 && id < table.rows());
    mapped(table).read_row(id, row_of(out, i));
  }
}

void ReferenceDevice::matmul(Tensor out, const Matrix& w, Tensor x) {
  HEARTH_CHECK(out.columns == w.rows() && x.columns == w.columns() && out.rows == x.rows);
  for_items(w.rows(), w.columns() * x.rows, [&](std::int64_t first, std::int64_t last) {
    float* row = row_scratch(w.columns());
    for (std::int64_t r = first; r < last; ++r) {
      mapped(w).read_row(r, row);
      for (int t = 0; t < x.rows; ++t) {
        row_of(out, t)[r] = static_cast<float>(dot(row, row_of(x, t), w.columns()));
      }
    }
  });
}

void ReferenceDevice::rms_norm(Tensor out, Tensor x, Tensor weight, float eps) {
  const int groups = group_count(x, weight);
  const int n = weight.columns;
  for_items(static_cast<std::int64_t>(x.rows) * groups, n,
            [&](std::int64_t first, std::int64_t last) {
              for (std::int64_t item = first; item < last; ++item) {
                const int g = static_cast<int>(item % groups);
                const float* in = row_of(x, static_cast<int>(item / groups)) + g * n;
                float* to = row_of(out, static_cast<int>(item / groups)) + g * n;
                const float* w = row_of(weight, weight.rows == 1 ? 0 : g);
                const double mean_square = dot(in, in, n) / n;
                const double inverse = 1.0 / std::sqrt(mean_square + static_cast<double>(eps));
                for (int j = 0; j < n; ++j) to[j] = static_cast<float>(in[j] * inverse * w[j]);
              }
            });
}

void ReferenceDevice::layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) {
  const int groups = group_count(x, weight);
  const int n = weight.columns;
  for_items(static_cast<std::int64_t>(x.rows) * groups, n,
            [&](std::int64_t first, std::int64_t last) {
              for (std::int64_t item = first; item < last; ++item) {
                const int g = static_cast<int>(item % groups);
                const float* in = row_of(x, static_cast<int>(item / groups)) + g * n;
                float* to = row_of(out, static_cast<int>(item / groups)) + g * n;
                const float* w = row_of(weight, weight.rows == 1 ? 0 : g);
                const float* b = bias ? row_of(bias, bias.rows == 1 ? 0 : g) : nullptr;
                double mean = 0.0;
                for (int j = 0; j < n; ++j) mean += in[j];
                mean /= n;
                double variance = 0.0;
                for (int j = 0; j < n; ++j) variance += (in[j] - mean) * (in[j] - mean);
                variance /= n;
                const double inverse = 1.0 / std::sqrt(variance + static_cast<double>(eps));
                for (int j = 0; j < n; ++j) {
                  to[j] = static_cast<float>((in[j] - mean) * inverse * w[j] + (b ? b[j] : 0.0F));
                }
              }
            });
}

void ReferenceDevice::rope(Tensor x, const Rope& rope) {
  const int n_head = x.columns / rope.head_dim;
  const int n_pairs = static_cast<int>(rope.frequencies.size());
  HEARTH_CHECK(x.columns % rope.head_dim == 0 && 2 * n_pairs <= rope.head_dim);
  const bool halves = rope.pairing == RopePairing::halves;
  const int step_between = halves ? 1 : 2;    // from a pair to the next
  const int distance = halves ? n_pairs : 1;  // from a pair's first to its second
  for_items(x.rows, x.columns, [&](std::int64_t first, std::int64_t last) {
    for (auto t = static_cast<int>(first); t < static_cast<int>(last); ++t) {
      for (int i = 0; i < n_pairs; ++i) {
        const double angle = step().row(t).position * rope.frequencies[static_cast<std::size_t>(i)];
        const SinCos turn = stable_sin_cos(angle);
        const double c = turn.cos * rope.magnitude;
        const double s = turn.sin * rope.magnitude;
        for (int h = 0; h < n_head; ++h) {
          float* a = row_of(x, t) + h * rope.head_dim + i * step_between;
          float* b = a + distance;
          const double a0 = *a;
          const double b0 = *b;
          *a = static_cast<float>(a0 * c - b0 * s);
          *b = static_cast<float>(a0 * s + b0 * c);
        }
      }
    }
  });
}

void ReferenceDevice::kv_store(KvCache& cache, int layer, Tensor k, Tensor v) {
  auto& host = static_cast<HostKvCache&>(cache);
  HEARTH_CHECK(k.rows == step().n_tokens());
  for (int t = 0; t < k.rows; ++t) {
    const Step::Row& row = step().row(t);
    std::copy_n(row_of(k, t), k.columns, host.k(layer, row.slot, row.position));
    std::copy_n(row_of(v, t), v.columns, host.v(layer, row.slot, row.position));
  }
}

void ReferenceDevice::attention(Tensor out, Tensor q, const KvCache& cache,
                                const AttentionSpec& spec) {
  const auto& host = static_cast<const HostKvCache&>(cache);
  const std::int64_t n_keys = step().longest();
  HEARTH_CHECK(q.rows == step().n_tokens());
  for_items(static_cast<std::int64_t>(q.rows) * spec.n_head,
            n_keys * (spec.head_dim_k + spec.head_dim_v),
            [&](std::int64_t first, std::int64_t last) {
              for (std::int64_t item = first; item < last; ++item) {
                const int t = static_cast<int>(item / spec.n_head);
                const int h = static_cast<int>(item % spec.n_head);
                attend(row_of(out, t) + h * spec.head_dim_v, row_of(q, t) + h * spec.head_dim_k,
                       host, spec, h, step().row(t));
              }
            });
}

void ReferenceDevice::glu(Tensor out, Tensor gate, Tensor up, Activation activation) {
  for_items(out.rows, kActivationCost * out.columns, [&](std::int64_t first, std::int64_t last) {
    for (auto t = static_cast<int>(first); t < static_cast<int>(last); ++t) {
      const float* g = row_of(gate, t);
      const float* u = row_of(up, t);
      float* to = row_of(out, t);
      for (int j = 0; j < out.columns; ++j) {
        to[j] = static_cast<float>(activate(activation, g[j]) * static_cast<double>(u[j]));
      }
    }
  });
}

void ReferenceDevice::activation(Tensor out, Tensor x, Activation activation) {
  for_items(out.rows, kActivationCost * out.columns, [&](std::int64_t first, std::int64_t last) {
    for (auto t = static_cast<int>(first); t < static_cast<int>(last); ++t) {
      const float* in = row_of(x, t);
      float* to = row_of(out, t);
      for (int j = 0; j < out.columns; ++j) {
        to[j] = static_cast<float>(activate(activation, in[j]));
      }
    }
  });
}

void ReferenceDevice::add(Tensor out, Tensor a, Tensor b) {
  HEARTH_CHECK(out.columns == a.columns && out.columns == b.columns);
  HEARTH_CHECK(b.rows == out.rows || b.rows == 1);
  for (int t = 0; t < out.rows; ++t) {
    const float* left = row_of(a, t);
    const float* right = row_of(b, b.rows == 1 ? 0 : t);
    float* to = row_of(out, t);
    for (int j = 0; j < out.columns; ++j) to[j] = left[j] + right[j];
  }
}

void ReferenceDevice::scale(Tensor out, Tensor x, float factor) {
  for (int t = 0; t < out.rows; ++t) {
    const float* in = row_of(x, t);
    float* to = row_of(out, t);
    for (int j = 0; j < out.columns; ++j) to[j] = in[j] * factor;
  }
}

void ReferenceDevice::softcap(Tensor out, Tensor x, float cap) {
  for (int t = 0; t < out.rows; ++t) {
    const float* in = row_of(x, t);
    float* to = row_of(out, t);
    for (int j = 0; j < out.columns; ++j) {
      to[j] = static_cast<float>(cap * stable_tanh(static_cast<double>(in[j]) / cap));
    }
  }
}

void ReferenceDevice::route(Tensor chosen, Tensor weights, Tensor scores, const RouteSpec& spec) {
  const auto n_expert = static_cast<std::size_t>(scores.columns);
  std::vector<double> probability(n_expert);
  std::vector<int> order(n_expert);
  for (int t = 0; t < scores.rows; ++t) {
    const float* score = row_of(scores, t);
    const double highest = *std::max_element(score, score + n_expert);
    double total = 0.0;
    for (std::size_t e = 0; e < n_expert; ++e) {
      probability[e] = spec.sigmoid ? sigmoid(score[e]) : exp_or_nan(score[e] - highest);
      total += probability[e];
      order[e] = static_cast<int>(e);
    }
    const auto better = [&](int a, int b) {  // the lower number wins a tie
      return score[a] != score[b] ? score[a] > score[b] : a < b;
    };
    std::partial_sort(order.begin(), order.begin() + spec.n_used, order.end(), better);
    if (spec.sigmoid) total = 1.0;
    if (spec.normalise) {
      total = 0.0;
      for (int k = 0; k < spec.n_used; ++k) {
        total += probability[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])];
      }
    }
    for (int k = 0; k < spec.n_used; ++k) {
      const int e = order[static_cast<std::size_t>(k)];
      row_of(chosen, t)[k] = static_cast<float>(e);
      row_of(weights, t)[k] =
          static_cast<float>(probability[static_cast<std::size_t>(e)] / total * spec.scale);
    }
  }
}

void ReferenceDevice::expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) {
  const int n_choices = chosen.rows * chosen.columns;
  HEARTH_CHECK(out.rows == n_choices && (x.rows == chosen.rows || x.rows == n_choices));
  HEARTH_CHECK(x.columns == stacked.columns() && stacked.rows() % out.columns == 0);
  for_items(out.columns, stacked.columns() * n_choices, [&](std::int64_t first, std::int64_t last) {
    float* row = row_scratch(stacked.columns());
    for (int i = 0; i < n_choices; ++i) {
      const int t = i / chosen.columns;
      const auto expert = static_cast<std::int64_t>(row_of(chosen, t)[i % chosen.columns]);
      const float* in = row_of(x, x.rows == n_choices ? i : t);
      for (std::int64_t r = first; r < last; ++r) {
        mapped(stacked).read_row(expert * out.columns + r, row);
        row_of(out, i)[r] = static_cast<float>(dot(row, in, stacked.columns()));
      }
    }
  });
}

void ReferenceDevice::expert_sum(Tensor out, Tensor x, Tensor weights) {
  HEARTH_CHECK(x.rows == weights.rows * weights.columns && x.columns == out.columns);
  for (int t = 0; t < out.rows; ++t) {
    const float* w = row_of(weights, t);
    float* to = row_of(out, t);
    for (int j = 0; j < out.columns; ++j) {
      double sum = 0.0;
      for (int k = 0; k < weights.columns; ++k) {
        sum +=
            static_cast<double>(w[k]) * static_cast<double>(row_of(x, t * weights.columns + k)[j]);
      }
      to[j] = static_cast<float>(sum);
    }
  }
}

}  // namespace hearth
