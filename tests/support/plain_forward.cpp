#include "tests/support/plain_forward.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "tests/support/tensor_tables.h"

namespace hearth::test {
namespace {

Row operator*(double factor, Row a) {
  for (double& x : a) x *= factor;
  return a;
}

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

class Plain : TensorTables {
 public:
  Plain(const gguf::Reader& file, const PlainModel& model) : TensorTables(file), m_(model) {}

  Table logits(const std::vector<std::int32_t>& tokens) const {
    const Table embedding = table("token_embd.weight");
    Table x;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      Row row = m_.embedding_scale * embedding[static_cast<std::size_t>(tokens[t])];
      if (has("position_embd.weight")) row = row + table("position_embd.weight")[t];
      if (has("token_embd_norm.weight")) row = normed(row, "token_embd_norm");
      x.push_back(row);
    }
    for (int il = 0; il < m_.n_layer; ++il) block(x, il);
    const std::string head = has("output.weight") ? "output" : "token_embd";
    Table out;
    for (const Row& row : x) {
      out.push_back(m_.logit_scale * product(head, normed(row, "output_norm")));
    }
    return out;
  }

 private:
  Row normalised(Row x, const Row& weight, const Row* bias) const {
    const auto n = static_cast<double>(x.size());
    if (m_.norm == PlainModel::Norm::layer) {
      const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
      for (double& value : x) value -= mean;
    }
    const double size = std::sqrt(dot(x, x) / n + m_.eps);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = x[i] / size * weight[i] + (bias ? (*bias)[i] : 0.0);
    }
    return x;
  }

  Row normed(const Row& x, const std::string& name) const {
    if (!has(name + ".weight")) return x;
    const Row weight = table(name + ".weight")[0];
    if (!has(name + ".bias")) return normalised(x, weight, nullptr);
    const Row bias = table(name + ".bias")[0];
    return normalised(x, weight, &bias);
  }

  /// A norm of every head by itself, or of all of them as one row: as wide as its weight.
  Row normed_heads(const Row& x, const std::string& name) const {
    if (!has(name + ".weight")) return x;
    const Table weights = table(name + ".weight");
    const std::size_t width = weights[0].size();
    Row out;
    for (std::size_t first = 0; first < x.size(); first += width) {
      const Row part(x.begin() + static_cast<std::ptrdiff_t>(first),
                     x.begin() + static_cast<std::ptrdiff_t>(first + width));
      const Row& weight = weights.size() == 1 ? weights[0] : weights[first / width];
      const Row done = normalised(part, weight, nullptr);
      out.insert(out.end(), done.begin(), done.end());
    }
    return out;
  }

  /// Every pair (a, b) as a complex number, turned by position * base^(-2i / n_rot).
  void rotate(Row& x, int n_head, std::size_t position) const {
    const int width = static_cast<int>(x.size()) / n_head;
    for (int h = 0; h < n_head; ++h) {
      for (int i = 0; i < m_.n_rot / 2; ++i) {
        const bool halves = m_.positions == PlainModel::Positions::halves;
        const auto a = static_cast<std::size_t>(h * width + (halves ? i : 2 * i));
        const auto b = halves ? a + static_cast<std::size_t>(m_.n_rot / 2) : a + 1;
        const double angle =
            static_cast<double>(position) / std::pow(m_.rope_base, 2.0 * i / m_.n_rot);
        const Row pair = {x[a], x[b]};
        x[a] = pair[0] * std::cos(angle) - pair[1] * std::sin(angle);
        x[b] = pair[0] * std::sin(angle) + pair[1] * std::cos(angle);
      }
    }
  }

  bool rotates(int il) const {
    const bool rope = m_.positions == PlainModel::Positions::interleaved ||
                      m_.positions == PlainModel::Positions::halves;
    return rope && (!m_.rotates || m_.rotates(il));
  }

  struct Heads {
    Row q, k, v;
  };

  Heads heads(const Row& x, const std::string& layer, int il, std::size_t position) const {
    Heads h{product(layer + "attn_q", x), product(layer + "attn_k", x),
            product(layer + "attn_v", x)};
    const auto norm = [&] {
      h.q = normed_heads(h.q, layer + "attn_q_norm");
      h.k = normed_heads(h.k, layer + "attn_k_norm");
    };
    if (!m_.norm_heads_after_rope) norm();
    if (rotates(il)) {
      rotate(h.q, m_.n_head, position);
      rotate(h.k, m_.n_head_kv, position);
    }
    if (m_.norm_heads_after_rope) norm();
    return h;
  }

  /// One head of the query at `position` over keys and values up to it.
  Row head(const std::vector<Heads>& all, std::size_t position, int h, int il) const {
    const std::size_t width = all[0].q.size() / static_cast<std::size_t>(m_.n_head);
    const auto part = [width](const Row& row, int index) {
      const auto first = row.begin() + static_cast<std::ptrdiff_t>(width) * index;
      return Row(first, first + static_cast<std::ptrdiff_t>(width));
    };
    const int h_kv = h * m_.n_head_kv / m_.n_head;
    const double scale = m_.attention_scale != 0.0 ? m_.attention_scale
                                                   : 1.0 / std::sqrt(static_cast<double>(width));
    const int window = m_.window ? m_.window(il) : 0;
    Row sum(width, 0.0);
    double total = 0.0;
    for (std::size_t p = 0; p <= position; ++p) {
      if (window > 0 && position - p >= static_cast<std::size_t>(window)) continue;
      double score = scale * dot(part(all[position].q, h), part(all[p].k, h_kv));
      if (m_.positions == PlainModel::Positions::alibi) {
        score -= static_cast<double>(position - p) * std::exp2(-8.0 * (h + 1) / m_.n_head);
      }
      sum = sum + std::exp(score) * part(all[p].v, h_kv);
      total += std::exp(score);
    }
    return (1.0 / total) * sum;
  }

  Table attention(const Table& x, const std::string& layer, int il) const {
    std::vector<Heads> all;
    for (std::size_t t = 0; t < x.size(); ++t) all.push_back(heads(x[t], layer, il, t));
    Table out;
    for (std::size_t t = 0; t < x.size(); ++t) {
      Row joined;
      for (int h = 0; h < m_.n_head; ++h) {
        const Row one = head(all, t, h, il);
        joined.insert(joined.end(), one.begin(), one.end());
      }
      out.push_back(product(layer + "attn_output", joined));
    }
    return out;
  }

  double act(double x) const { return m_.activation ? m_.activation(x) : x * sigmoid(x); }

  Row activated(Row gate, const Row& up) const {
    for (std::size_t i = 0; i < gate.size(); ++i) gate[i] = act(gate[i]) * up[i];
    return gate;
  }

  Row dense(const Row& x, const std::string& layer, const std::string& suffix) const {
    Row inner = product(layer + "ffn_up" + suffix, x);
    if (has(layer + "ffn_gate" + suffix + ".weight")) {
      inner = activated(product(layer + "ffn_gate" + suffix, x), inner);
    } else {
      for (double& value : inner) value = act(value);
    }
    return product(layer + "ffn_down" + suffix, inner);
  }

  /// Rows of expert e of a stack.
  Row expert_product(const std::string& name, std::size_t e, std::size_t n, const Row& x) const {
    const Table all = table(name + ".weight");
    Row y;
    for (std::size_t r = e * all.size() / n; r < (e + 1) * all.size() / n; ++r) {
      y.push_back(dot(all[r], x));
    }
    return y;
  }

  Row experts(const Row& x, const std::string& layer) const {
    Row weight = product(layer + "ffn_gate_inp", x);
    const std::size_t n = weight.size();
    double total = 0.0;
    for (double& w : weight) total += w = std::exp(w);
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return weight[a] > weight[b]; });
    order.resize(static_cast<std::size_t>(m_.n_experts_used));
    if (m_.experts_sum_to_one) {
      total = 0.0;
      for (const std::size_t e : order) total += weight[e];
    }
    Row sum(x.size(), 0.0);
    for (const std::size_t e : order) {
      const Row inner = activated(expert_product(layer + "ffn_gate_exps", e, n, x),
                                  expert_product(layer + "ffn_up_exps", e, n, x));
      sum = sum + weight[e] / total * expert_product(layer + "ffn_down_exps", e, n, inner);
    }
    if (!has(layer + "ffn_up_shexp.weight")) return sum;
    const double gate = has(layer + "ffn_gate_inp_shexp.weight")
                            ? sigmoid(product(layer + "ffn_gate_inp_shexp", x)[0])
                            : 1.0;
    return sum + gate * dense(x, layer, "_shexp");
  }

  Row feed_forward(const Row& x, const std::string& layer) const {
    return has(layer + "ffn_gate_inp.weight") ? experts(x, layer) : dense(x, layer, "");
  }

  void block(Table& x, int il) const {
    const std::string layer = "blk." + std::to_string(il) + ".";
    const Table before = x;
    Table in;
    for (const Row& row : x) {
      in.push_back(
          normed(row, layer + (has(layer + "attn_norm_2.weight") ? "attn_norm_2" : "attn_norm")));
    }
    const Table a = attention(in, layer, il);
    for (std::size_t t = 0; t < x.size(); ++t) {
      x[t] = x[t] + m_.residual_scale * normed(a[t], layer + "post_attention_norm");
      const bool parallel = m_.block == PlainModel::Block::parallel;
      const Row& base = parallel ? before[t] : x[t];
      const bool own_norm = !parallel || has(layer + "ffn_norm.weight");
      const Row f =
          feed_forward(normed(base, layer + (own_norm ? "ffn_norm" : "attn_norm")), layer);
      x[t] = x[t] + m_.residual_scale * normed(f, layer + "post_ffw_norm");
    }
  }

  const PlainModel& m_;
};

}  // namespace

std::vector<double> plain_logits(const gguf::Reader& file, const PlainModel& model,
                                 const std::vector<std::int32_t>& tokens) {
  std::vector<double> flat;
  for (const Row& row : Plain(file, model).logits(tokens)) {
    flat.insert(flat.end(), row.begin(), row.end());
  }
  return flat;
}

}  // namespace hearth::test
