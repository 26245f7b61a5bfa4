#include "engine/device/mirror_device.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth {
namespace {

struct MirrorBuffer final : Buffer {
  std::vector<std::unique_ptr<Buffer>> sides;
};

struct MirrorMatrix final : Matrix {
  explicit MirrorMatrix(const HostMatrix& host) : Matrix(host.name, host.rows, host.columns) {}
  std::vector<std::unique_ptr<Matrix>> sides;
};

struct MirrorKvCache final : KvCache {
  using KvCache::KvCache;
  int first_kept(int layer, int highest) const override {
    int first = 0;
    for (const auto& side : sides) first = std::max(first, side->first_kept(layer, highest));
    return first;
  }
  std::vector<std::unique_ptr<KvCache>> sides;
};

std::string_view name_of(Activation activation) {
  constexpr std::string_view kNames[] = {"silu", "gelu_tanh", "gelu_erf", "relu", "relu_squared"};
  return kNames[static_cast<std::size_t>(activation)];
}

/// A product as an op. Its output is an input, too, if it is a sum.
OpRecord record_of(const Device::Product& product, Tensor x) {
  OpRecord record{"matmul", product.w->name(), {x}, {product.result()}, {}};
  std::vector<std::string> epilogue;
  if (product.bias) epilogue.emplace_back("with its bias");
  if (product.activation) epilogue.emplace_back(name_of(*product.activation));
  if (product.sum) {
    record.is_sum = true;
    epilogue.push_back(fmt::format("added to {}", product.sum.name));
  }
  record.detail = fmt::format("{}", fmt::join(epilogue, ", "));
  return record;
}

const Matrix& view(const Matrix& matrix, std::size_t side) {
  return *static_cast<const MirrorMatrix&>(matrix).sides[side];
}

KvCache& view(const KvCache& cache, std::size_t side) {
  return *static_cast<const MirrorKvCache&>(cache).sides[side];
}

std::string describe(const Rope& rope) {
  return fmt::format("{} of {} dimensions, {}", 2 * rope.frequencies.size(), rope.head_dim,
                     rope.pairing == RopePairing::halves ? "halves" : "interleaved");
}

std::string describe(const AttentionSpec& spec) {
  std::string text = fmt::format("{} heads on {}", spec.n_head, spec.n_head_kv);
  if (spec.window > 0) text += fmt::format(", window {}", spec.window);
  if (spec.softcap > 0.0F) text += fmt::format(", softcap {}", spec.softcap);
  if (spec.max_alibi_bias > 0.0F) text += ", alibi";
  if (spec.relative_bias) text += ", relative bias";
  if (!spec.causal) text += ", both ways";
  return text;
}

}  // namespace

void MirrorDevice::before(const OpRecord&) {}

Tensor MirrorDevice::view(Tensor tensor, std::size_t side) {
  if (tensor) tensor.buffer = static_cast<MirrorBuffer*>(tensor.buffer)->sides[side].get();
  return tensor;
}

Device::Product MirrorDevice::view(const Product& product, std::size_t side) {
  return {.out = view(product.out, side),
          .w = &hearth::view(*product.w, side),
          .bias = view(product.bias, side),
          .activation = product.activation,
          .sum = view(product.sum, side)};
}

template <class Verb>
void MirrorDevice::each(const OpRecord& record, Verb verb) {
  for (std::size_t i = 0; i < sides_.size(); ++i) verb(*sides_[i], i);
  after(record);
}

std::unique_ptr<Matrix> MirrorDevice::load(const HostMatrix& matrix) {
  auto mirror = std::make_unique<MirrorMatrix>(matrix);
  for (Device* device : sides_) mirror->sides.push_back(device->load(matrix));
  return mirror;
}

std::unique_ptr<Buffer> MirrorDevice::allocate(std::size_t n) {
  auto mirror = std::make_unique<MirrorBuffer>();
  for (Device* device : sides_) mirror->sides.push_back(device->allocate(n));
  return mirror;
}

std::unique_ptr<KvCache> MirrorDevice::make_kv_cache(const KvShape& shape) {
  auto mirror = std::make_unique<MirrorKvCache>(shape);
  for (Device* device : sides_) mirror->sides.push_back(device->make_kv_cache(shape));
  return mirror;
}

void MirrorDevice::upload(Tensor out, std::span<const float> data) {
  for (std::size_t i = 0; i < sides_.size(); ++i) sides_[i]->upload(view(out, i), data);
}

/// From the first device; zeros if there is none.
void MirrorDevice::download(std::span<float> data, Tensor x) {
  std::fill(data.begin(), data.end(), 0.0F);
  if (!sides_.empty()) sides_[0]->download(data, view(x, 0));
}

void MirrorDevice::begin(const Step& step) {
  step_ = step;
  for (Device* device : sides_) device->begin(step);
}

void MirrorDevice::submit() {
  for (Device* device : sides_) device->submit();
}

void MirrorDevice::get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) {
  each({"get_rows", table.name(), {}, {out}, {}}, [&](Device& device, std::size_t i) {
    device.get_rows(view(out, i), hearth::view(table, i), ids);
  });
}

void MirrorDevice::matmul(Tensor out, const Matrix& w, Tensor x) {
  each({"matmul", w.name(), {x}, {out}, {}}, [&](Device& device, std::size_t i) {
    device.matmul(view(out, i), hearth::view(w, i), view(x, i));
  });
}

void MirrorDevice::matmuls(std::span<const Product> products, Tensor x) {
  for (const Product& product : products) {
    if (product.sum) before(record_of(product, x));
  }
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    std::vector<Product> own;
    for (const Product& product : products) own.push_back(view(product, i));
    sides_[i]->matmuls(own, view(x, i));
  }
  for (const Product& product : products) after(record_of(product, x));
}

void MirrorDevice::gated_matmul(const Product& gate, const Product& up, Tensor x,
                                Activation activation) {
  each({"gated_matmul",
        up.w->name(),
        {x},
        {up.out},
        fmt::format("gate {}, {}", gate.w->name(), name_of(activation))},
       [&](Device& device, std::size_t i) {
         device.gated_matmul(view(gate, i), view(up, i), view(x, i), activation);
       });
}

void MirrorDevice::rms_norm(Tensor out, Tensor x, Tensor weight, float eps) {
  each({"rms_norm", std::string(weight.name), {x}, {out}, {}}, [&](Device& device, std::size_t i) {
    device.rms_norm(view(out, i), view(x, i), view(weight, i), eps);
  });
}

void MirrorDevice::layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) {
  each({"layer_norm", std::string(weight.name), {x}, {out}, {}},
       [&](Device& device, std::size_t i) {
         device.layer_norm(view(out, i), view(x, i), view(weight, i), view(bias, i), eps);
       });
}

void MirrorDevice::rope(Tensor x, const Rope& rope) {
  each({"rope", {}, {x}, {x}, describe(rope)},
       [&](Device& device, std::size_t i) { device.rope(view(x, i), rope); });
}

void MirrorDevice::kv_store(KvCache& cache, int layer, Tensor k, Tensor v) {
  each({"kv_store", {}, {k, v}, {}, {}}, [&](Device& device, std::size_t i) {
    device.kv_store(hearth::view(cache, i), layer, view(k, i), view(v, i));
  });
}

void MirrorDevice::rope_and_store(Tensor q, Tensor k, Tensor v, const Rope& rope, KvCache& cache,
                                  int layer) {
  each({"rope_and_store", {}, {q, k, v}, {q}, describe(rope)}, [&](Device& device, std::size_t i) {
    device.rope_and_store(view(q, i), view(k, i), view(v, i), rope, hearth::view(cache, i), layer);
  });
}

void MirrorDevice::attention(Tensor out, Tensor q, const KvCache& cache,
                             const AttentionSpec& spec) {
  each({"attention", {}, {q}, {out}, describe(spec)}, [&](Device& device, std::size_t i) {
    device.attention(view(out, i), view(q, i), hearth::view(cache, i), spec);
  });
}

void MirrorDevice::glu(Tensor out, Tensor gate, Tensor up, Activation activation) {
  each({"glu", {}, {gate, up}, {out}, std::string(name_of(activation))},
       [&](Device& device, std::size_t i) {
         device.glu(view(out, i), view(gate, i), view(up, i), activation);
       });
}

void MirrorDevice::activation(Tensor out, Tensor x, Activation activation) {
  each({"activation", {}, {x}, {out}, std::string(name_of(activation))},
       [&](Device& device, std::size_t i) {
         device.activation(view(out, i), view(x, i), activation);
       });
}

void MirrorDevice::add(Tensor out, Tensor a, Tensor b) {
  each({"add", {}, {a, b}, {out}, {}},
       [&](Device& device, std::size_t i) { device.add(view(out, i), view(a, i), view(b, i)); });
}

void MirrorDevice::scale(Tensor out, Tensor x, float factor) {
  each({"scale", {}, {x}, {out}, fmt::format("by {}", factor)},
       [&](Device& device, std::size_t i) { device.scale(view(out, i), view(x, i), factor); });
}

void MirrorDevice::softcap(Tensor out, Tensor x, float cap) {
  each({"softcap", {}, {x}, {out}, fmt::format("at {}", cap)},
       [&](Device& device, std::size_t i) { device.softcap(view(out, i), view(x, i), cap); });
}

void MirrorDevice::route(Tensor chosen, Tensor weights, Tensor scores, const RouteSpec& spec) {
  each({"route", {}, {scores}, {chosen, weights}, fmt::format("{} chosen", spec.n_used)},
       [&](Device& device, std::size_t i) {
         device.route(view(chosen, i), view(weights, i), view(scores, i), spec);
       });
}

void MirrorDevice::expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) {
  each({"expert_matmul", stacked.name(), {x, chosen}, {out}, {}},
       [&](Device& device, std::size_t i) {
         device.expert_matmul(view(out, i), hearth::view(stacked, i), view(x, i), view(chosen, i));
       });
}

void MirrorDevice::expert_sum(Tensor out, Tensor x, Tensor weights) {
  each({"expert_sum", {}, {x, weights}, {out}, {}}, [&](Device& device, std::size_t i) {
    device.expert_sum(view(out, i), view(x, i), view(weights, i));
  });
}

}  // namespace hearth
