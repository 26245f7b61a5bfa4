#include "engine/model/forward.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "base/random.h"
#include "engine/model/relative_bias.h"
#include "engine/model/rope.h"

namespace hearth {
namespace {

/// y = norm(x) into `out`; x itself where the model has no such norm.
Tensor normed(const Model& model, Device& device, Tensor out, Tensor x, const Norm& norm) {
  if (!norm) return x;
  const float eps = model.hparams.norm_eps;
  if (model.family->norm == NormKind::rms) {
    device.rms_norm(out, x, norm.weight.view(), eps);
  } else {
    device.layer_norm(out, x, norm.weight.view(), norm.bias ? norm.bias.view() : Tensor{}, eps);
  }
  return out;
}

/// What becomes of a product besides its bias (Device::Product).
struct Epilogue {
  std::optional<Activation> activation = {};
  Tensor sum = {};
};

/// A weight and where its product goes.
struct Projection {
  Tensor out;
  const Linear* w;
  Epilogue epilogue = {};
};

/// What the device does of it: a scale stands before all that follows a product.
Device::Product product_of(const Projection& projection) {
  const auto& [out, w, epilogue] = projection;
  Device::Product product{.out = out, .w = w->weight.get()};
  if (w->scale != 1.0F) return product;
  if (w->bias) product.bias = w->bias.view();
  product.activation = epilogue.activation;
  product.sum = epilogue.sum;
  return product;
}

/// Products of weights that share their input.
void project(Device& device, std::initializer_list<Projection> projections, Tensor x) {
  std::vector<Device::Product> products;
  for (const Projection& projection : projections) products.push_back(product_of(projection));
  device.matmuls(products, x);
  for (const auto& [out, w, epilogue] : projections) {
    if (w->scale == 1.0F) continue;
    device.scale(out, out, w->scale);
    if (w->bias) device.add(out, out, w->bias.view());
    if (epilogue.activation) device.activation(out, out, *epilogue.activation);
    if (epilogue.sum) device.add(epilogue.sum, epilogue.sum, out);
  }
}

void project(Device& device, Tensor out, const Linear& w, Tensor x, const Epilogue& epilogue = {}) {
  project(device, {{out, &w, epilogue}}, x);
}

/// The first n elements of every row of a scratch tensor, as rows of their own.
Tensor shaped(Tensor scratch, int rows, int columns, std::string_view name) {
  return scratch.first_rows(rows).column_range(0, columns, name);
}

}  // namespace

/// One block's walk over the tokens of one step.
class Forward::Block {
 public:
  Block(const Forward& forward, Seat& seat, int layer, int n_tokens)
      : model_(forward.model_),
        h_(model_.hparams),
        lh_(h_.layers[static_cast<std::size_t>(layer)]),
        w_(model_.weights.layers[static_cast<std::size_t>(layer)]),
        rope_(lh_.window > 0 ? forward.local_rope_ : forward.global_rope_),
        bias_(forward.relative_bias_),
        device_(*seat.device),
        kv_(*seat.kv),
        s_(seat.scratch),
        kv_layer_(forgets_layers(h_) ? 0 : layer),
        n_(n_tokens) {}

  void run(Tensor x) {
    const bool shares_norm =
        model_.family->residual == Residual::parallel_without_ffn_norm && !w_.ffn_norm;
    h_.parallel_residual || shares_norm ? parallel(x) : sequential(x);
  }

 private:
  /// x + attention, then x + feed-forward.
  void sequential(Tensor x) {
    const Tensor a_sum = sum_of(x, w_.post_attention_norm);
    Tensor a = attention(norm(s_.normed, x, w_.attn_norm), a_sum);
    if (!a_sum) join(x, norm(a, a, w_.post_attention_norm));
    norm(x, x, w_.attn_output_norm);
    const Tensor f_sum = w_.ffn_gate_inp ? Tensor{} : sum_of(x, w_.post_ffw_norm);
    Tensor f = feed_forward(norm(s_.normed, x, w_.ffn_norm), f_sum);
    if (!f_sum) join(x, norm(f, f, w_.post_ffw_norm));
    norm(x, x, w_.layer_output_norm);
  }

  /// x if a branch's last product may be added to it as it is, else nothing.
  Tensor sum_of(Tensor x, const Norm& of_branch) const {
    return of_branch || h_.residual_scale != 1.0F ? Tensor{} : x;
  }

  /// x + attention + feed-forward, both of the same x.
  void parallel(Tensor x) {
    const Tensor shared = norm(s_.normed, x, w_.attn_norm);
    const Tensor f = feed_forward(norm(s_.attn_branch, x, w_.ffn_norm, shared), {});
    const Tensor sum = sum_of(x, {});
    const Tensor a = attention(norm(s_.normed, x, w_.attn_norm_2, shared), sum);
    if (!sum) join(x, a);
    join(x, f);
  }

  Tensor rows(Tensor scratch) const { return scratch.first_rows(n_); }

  Tensor norm(Tensor out, Tensor x, const Norm& w) { return norm(out, x, w, x); }

  /// norm(x), or `otherwise` where there is none.
  Tensor norm(Tensor out, Tensor x, const Norm& w, Tensor otherwise) {
    return w ? normed(model_, device_, rows(out), x, w) : otherwise;
  }

  /// x += branch
  void join(Tensor x, Tensor branch) {
    if (h_.residual_scale != 1.0F) device_.scale(branch, branch, h_.residual_scale);
    device_.add(x, x, branch);
  }

  struct Heads {
    Tensor q, k, v;
  };

  /// q, k, v = x Wq, x Wk, x Wv, one fused matrix or three.
  Heads project_heads(Tensor x) {
    const int n_q = h_.n_q(lh_);
    const int n_k = h_.n_k(lh_);
    const int n_v = h_.n_v(lh_);
    const Tensor all = shaped(s_.qkv, n_, n_q + n_k + n_v, "qkv");
    const Heads heads{.q = all.column_range(0, n_q, "q"),
                      .k = all.column_range(n_q, n_k, "k"),
                      .v = all.column_range(n_q + n_k, n_v, "v")};
    if (w_.attn_qkv) {
      project(device_, all, w_.attn_qkv, x);
      return heads;
    }
    project(device_, {{heads.q, &w_.attn_q}, {heads.k, &w_.attn_k}, {heads.v, &w_.attn_v}}, x);
    return heads;
  }

  void rotate(const Heads& heads) {
    if (!lh_.has_rope) return;
    device_.rope(heads.q, rope_);
    device_.rope(heads.k, rope_);
  }

  void norm_heads(const Heads& heads) {
    normed(model_, device_, heads.q, heads.q, w_.attn_q_norm);
    normed(model_, device_, heads.k, heads.k, w_.attn_k_norm);
  }

  /// softmax(q k^T) v Wo; or adds it to the sum, if there is one.
  Tensor attention(Tensor x, Tensor sum) {
    const Heads heads = project_heads(x);
    const bool rotates_first = model_.family->qk_norm == QkNorm::per_head_after_rope;
    if (rotates_first) rotate(heads);
    norm_heads(heads);
    if (lh_.has_rope && !rotates_first) {
      device_.rope_and_store(heads.q, heads.k, heads.v, rope_, kv_, kv_layer_);
    } else {
      device_.kv_store(kv_, kv_layer_, heads.k, heads.v);
    }
    const Tensor out = shaped(s_.heads, n_, h_.n_attn_out(lh_), "heads");
    device_.attention(out, heads.q, kv_, attention_spec());
    project(device_, rows(s_.attn_branch), w_.attn_output, out, {.sum = sum});
    return rows(s_.attn_branch);
  }

  AttentionSpec attention_spec() const {
    return {.layer = kv_layer_,
            .n_head = lh_.n_head,
            .n_head_kv = lh_.n_head_kv,
            .head_dim_k = h_.head_dim_k,
            .head_dim_v = h_.head_dim_v,
            .scale = h_.attention_scale,
            .softcap = h_.attn_softcap,
            .window = lh_.window,
            .causal = h_.causal,
            .max_alibi_bias = h_.max_alibi_bias,
            .relative_bias = bias_.values.empty() ? nullptr : &bias_};
  }

  /// Experts have no sum to add to.
  Tensor feed_forward(Tensor x, Tensor sum) {
    if (w_.ffn_gate_inp) return experts(x);
    return gated_or_plain(x, w_.ffn_gate, w_.ffn_up, w_.ffn_down, lh_.n_ff, sum);
  }

  /// (act(x Wgate) * (x Wup)) Wdown, or act(x Wup) Wdown; or adds it to the sum, if there is one.
  /// The gate may be the first half of Wup.
  Tensor gated_or_plain(Tensor x, const Linear& w_gate, const Linear& w_up, const Linear& w_down,
                        int n_ff, Tensor sum) {
    const Activation act = model_.family->activation;
    const bool is_gated = model_.family->feed_forward == FeedForward::gated;
    const Tensor both = shaped(s_.gate_up, n_, 2 * n_ff, "gate_up");
    const Tensor gate = both.column_range(0, n_ff, "gate");
    const Tensor up = both.column_range(n_ff, n_ff, "up");
    if (!is_gated) {
      project(device_, up, w_up, x, {.activation = act});
    } else if (w_gate) {
      gated(gate, w_gate, up, w_up, x);
    } else {
      project(device_, both, w_up, x);
      device_.glu(up, gate, up, act);
    }
    project(device_, rows(s_.ffn_branch), w_down, up, {.sum = sum});
    return rows(s_.ffn_branch);
  }

  /// up = act(x Wgate) * (x Wup)
  void gated(Tensor gate, const Linear& w_gate, Tensor up, const Linear& w_up, Tensor x) {
    const Activation act = model_.family->activation;
    if (w_gate.scale == 1.0F && w_up.scale == 1.0F) {
      device_.gated_matmul(product_of({gate, &w_gate}), product_of({up, &w_up}), x, act);
      return;
    }
    project(device_, {{gate, &w_gate}, {up, &w_up}}, x);
    device_.glu(up, gate, up, act);
  }

  /// The sum of the chosen experts' gated feed-forwards, and of one that all tokens share.
  Tensor experts(Tensor x) {
    const int k = h_.n_expert_used;
    const int n_ff = h_.n_ff_expert;
    project(device_, rows(s_.scores), w_.ffn_gate_inp, x);
    device_.route(rows(s_.chosen), rows(s_.expert_weights), rows(s_.scores),
                  {.n_used = k,
                   .sigmoid = h_.expert_sigmoid,
                   .normalise = h_.expert_weights_norm,
                   .scale = h_.expert_weights_scale});
    const Tensor both = shaped(s_.expert_gate_up, n_ * k, 2 * n_ff, "expert_gate_up");
    const Tensor gate = both.column_range(0, n_ff, "expert_gate");
    const Tensor up = both.column_range(n_ff, n_ff, "expert_up");
    device_.expert_matmul(gate, *w_.ffn_gate_exps.weight, x, rows(s_.chosen));
    device_.expert_matmul(up, *w_.ffn_up_exps.weight, x, rows(s_.chosen));
    device_.glu(up, gate, up, model_.family->activation);
    const Tensor down = s_.expert_out.first_rows(n_ * k);
    device_.expert_matmul(down, *w_.ffn_down_exps.weight, up, rows(s_.chosen));
    if (!w_.ffn_up_shexp) {
      device_.expert_sum(rows(s_.ffn_branch), down, rows(s_.expert_weights));
      return rows(s_.ffn_branch);
    }
    const Tensor sum = rows(s_.expert_sum);
    device_.expert_sum(sum, down, rows(s_.expert_weights));
    const Tensor shared = shared_expert(x);
    device_.add(shared, shared, sum);
    return shared;
  }

  /// A feed-forward for all tokens, weighted by sigmoid(x w) where the model has such a gate.
  Tensor shared_expert(Tensor x) {
    const Tensor out = gated_or_plain(x, w_.ffn_gate_shexp, w_.ffn_up_shexp, w_.ffn_down_shexp,
                                      h_.n_ff_shared_expert, {});
    if (!w_.ffn_gate_inp_shexp) return out;
    const Tensor score = shaped(s_.scores, n_, 1, "shared_score");
    const Tensor chosen = shaped(s_.chosen, n_, 1, "shared_choice");
    const Tensor weight = shaped(s_.expert_weights, n_, 1, "shared_weight");
    project(device_, score, w_.ffn_gate_inp_shexp, x);
    device_.route(chosen, weight, score, {.n_used = 1, .sigmoid = true});
    device_.expert_sum(out, out, weight);
    return out;
  }

  const Model& model_;
  const HParams& h_;
  const LayerHParams& lh_;
  const LayerWeights& w_;
  const Rope& rope_;
  const RelativeBias& bias_;
  Device& device_;
  KvCache& kv_;
  Scratch& s_;
  int kv_layer_;
  int n_;
};

Forward::Forward(const Model& model, int n_ctx, int n_ubatch, int n_slots)
    : model_(model),
      n_ctx_(n_ctx),
      n_ubatch_(static_cast<int>(
          std::min<std::int64_t>(n_ubatch, static_cast<std::int64_t>(n_ctx) * n_slots))),
      n_slots_(n_slots),
      global_rope_(global_rope(model, n_ctx)),
      local_rope_(local_rope(model, n_ctx)),
      relative_bias_(relative_bias(model, n_ctx)) {
  make_seat(model.placement.embedding);
  for (Device* device : model.placement.layers) make_seat(device);
  make_seat(model.placement.output);
}

Tensor Forward::run(std::span<const std::int32_t> tokens, int n_past, bool only_last) {
  return run(tokens, Step(n_past, static_cast<int>(tokens.size())), only_last);
}

Tensor Forward::run(std::span<const std::int32_t> tokens, const Step& step, bool only_last) {
  HEARTH_CHECK(static_cast<std::size_t>(step.n_tokens()) == tokens.size());
  HEARTH_CHECK(step.n_tokens() > 0 && step.n_tokens() <= n_ubatch_ && step.longest() <= n_ctx_);
  note_stored(step);
  Seat* seat = &seat_of(model_.placement.embedding);
  seat->device->begin(step);
  Tensor x = embed(*seat, tokens, step);
  for (int il = 0; il < model_.hparams.n_layer; ++il) {
    Seat& next = seat_of(model_.placement.layers[static_cast<std::size_t>(il)]);
    x = hand_over(x, *seat, next, step);
    seat = &next;
    Block block(*this, *seat, il, step.n_tokens());
    block.run(x);
  }
  Seat& last = seat_of(model_.placement.output);
  x = hand_over(x, *seat, last, step);
  return only_last ? last_norm_of_runs(last, x, step) : last_norm(last, x);
}

Tensor Forward::last_norm(Seat& seat, Tensor x) {
  return normed(model_, *seat.device, seat.scratch.normed.first_rows(x.rows), x,
                model_.weights.output_norm);
}

/// last_norm() of the last row of each run, one below the other.
Tensor Forward::last_norm_of_runs(Seat& seat, Tensor x, const Step& step) {
  const auto n_runs = static_cast<int>(step.runs().size());
  if (n_runs == 1) return last_norm(seat, x.row_range(x.rows - 1, 1));
  if (n_runs == x.rows) return last_norm(seat, x);
  const Tensor out = seat.scratch.normed.first_rows(n_runs);
  int row = -1;
  for (int i = 0; i < n_runs; ++i) {
    row += step.runs()[static_cast<std::size_t>(i)].n_tokens;
    seat.device->scale(out.row_range(i, 1), x.row_range(row, 1), 1.0F);
  }
  return normed(model_, *seat.device, out, out, model_.weights.output_norm);
}

/// token + position + type, scaled, normalised: each where the model has it.
Tensor Forward::embed(Seat& seat, std::span<const std::int32_t> tokens, const Step& step) {
  const ModelWeights& w = model_.weights;
  Device& device = *seat.device;
  const auto n = static_cast<int>(tokens.size());
  const Tensor x = seat.scratch.x.first_rows(n);
  const Tensor more = seat.scratch.normed.first_rows(n);
  device.get_rows(x, *w.token_embd.weight, tokens);
  if (model_.hparams.embedding_scale != 1.0F) device.scale(x, x, model_.hparams.embedding_scale);
  if (w.token_types) {
    const std::vector<std::int32_t> first_type(tokens.size(), 0);
    device.get_rows(more, *w.token_types.weight, first_type);
    device.add(x, x, more);
  }
  if (w.position_embd) {
    std::vector<std::int32_t> positions;
    for (const Step::Row& row : step.rows()) positions.push_back(row.position);
    device.get_rows(more, *w.position_embd.weight, positions);
    device.add(x, x, more);
  }
  return normed(model_, device, x, x, w.token_embd_norm);
}

/// The residual stream on the next block's device.
Tensor Forward::hand_over(Tensor x, Seat& from, Seat& to, const Step& step) {
  if (&from == &to) return x;
  from.device->submit();
  std::vector<float> rows(static_cast<std::size_t>(x.rows) * static_cast<std::size_t>(x.columns));
  from.device->download(rows, x);
  const Tensor there = to.scratch.x.first_rows(x.rows);
  to.device->begin(step);
  to.device->upload(there, rows);
  return there;
}

void Forward::store_random(const Step& step) {
  note_stored(step);
  const HParams& h = model_.hparams;
  Random random(static_cast<std::uint64_t>(step.longest()));
  std::vector<float> values;
  for (int il = 0; il < h.n_layer; ++il) {
    const LayerHParams& layer = h.layers[static_cast<std::size_t>(il)];
    Seat& seat = seat_of(model_.placement.layers[static_cast<std::size_t>(il)]);
    const Tensor kv =
        shaped(seat.scratch.qkv, step.n_tokens(), h.n_k(layer) + h.n_v(layer), "random");
    const auto n = static_cast<std::size_t>(kv.rows) * static_cast<std::size_t>(kv.columns);
    for (std::size_t i = values.size(); i < n; ++i) {  // layers may share them
      values.push_back(static_cast<float>(2.0 * random.uniform() - 1.0));
    }
    seat.device->begin(step);
    seat.device->upload(kv, std::span(values).first(n));
    seat.device->kv_store(*seat.kv, forgets_layers(h) ? 0 : il,
                          kv.column_range(0, h.n_k(layer), "k"),
                          kv.column_range(h.n_k(layer), h.n_v(layer), "v"));
    seat.device->submit();
  }
}

void Forward::note_stored(const Step& step) {
  highest_.resize(static_cast<std::size_t>(n_slots_));
  for (const StepRun& run : step.runs()) {
    int& highest = highest_[static_cast<std::size_t>(run.slot)];
    const int last = run.n_past + run.n_tokens - 1;
    highest = run.n_past == 0 ? last : std::max(highest, last);
  }
}

bool Forward::can_go_on(int slot, int position) const {
  const auto number = static_cast<std::size_t>(slot);
  if (position == 0 || number >= highest_.size()) return true;
  for (const Seat& seat : seats_) {
    const std::vector<KvShape::Layer>& layers = seat.kv->shape().layers;
    for (std::size_t il = 0; il < layers.size(); ++il) {
      const int first = std::max(0, position - layers[il].window + 1);
      if (layers[il].window == 0 || layers[il].k_columns == 0) continue;
      if (seat.kv->first_kept(static_cast<int>(il), highest_[number]) > first) return false;
    }
  }
  return true;
}

void Forward::hidden(std::vector<float>& rows, Tensor hidden) {
  rows.resize(static_cast<std::size_t>(hidden.rows) * static_cast<std::size_t>(hidden.columns));
  model_.placement.output->download(rows, hidden);
}

Tensor Forward::head(Seat& seat, Tensor hidden) {
  HEARTH_CHECK(hidden.rows <= kHeadRows);
  const HParams& h = model_.hparams;
  const Tensor logits = seat.scratch.logits.first_rows(hidden.rows);
  project(*seat.device, logits, model_.head(), hidden);
  if (h.logit_scale != 1.0F) seat.device->scale(logits, logits, h.logit_scale);
  if (h.final_softcap > 0.0F) seat.device->softcap(logits, logits, h.final_softcap);
  return logits;
}

void Forward::logits(std::span<float> out, Tensor hidden) {
  Seat& seat = seat_of(model_.placement.output);
  seat.device->download(out, head(seat, hidden));
}

std::vector<std::int32_t> Forward::likeliest(Tensor hidden) {
  Seat& seat = seat_of(model_.placement.output);
  return seat.device->argmax(head(seat, hidden));
}

Forward::Seat& Forward::seat_of(const Device* device) {
  const auto found = std::find_if(seats_.begin(), seats_.end(),
                                  [&](const Seat& seat) { return seat.device == device; });
  HEARTH_CHECK(found != seats_.end());
  return *found;
}

}  // namespace hearth
