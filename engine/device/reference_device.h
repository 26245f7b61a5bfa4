// The truth that every other device is compared with: scalar, one thread, weights dequantised row
// by row as the file has them, float32 between the verbs and double within them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/device/device.h"

namespace hearth {

class ReferenceDevice : public Device {
 public:
  std::string name() const override { return "reference"; }

  std::unique_ptr<Matrix> load(const HostMatrix& matrix) override;
  std::unique_ptr<Buffer> allocate(std::size_t n) override;
  std::unique_ptr<KvCache> make_kv_cache(const KvShape& shape) override;
  void upload(Tensor out, std::span<const float> data) override;
  void download(std::span<float> data, Tensor x) override;
  void begin(const Step& step) override { step_ = step; }
  void submit() override {}

  void get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) override;
  void matmul(Tensor out, const Matrix& w, Tensor x) override;
  void rms_norm(Tensor out, Tensor x, Tensor weight, float eps) override;
  void layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) override;
  void rope(Tensor x, const Rope& rope) override;
  void kv_store(KvCache& cache, int layer, Tensor k, Tensor v) override;
  void attention(Tensor out, Tensor q, const KvCache& cache, const AttentionSpec& spec) override;
  void glu(Tensor out, Tensor gate, Tensor up, Activation activation) override;
  void activation(Tensor out, Tensor x, Activation activation) override;
  void add(Tensor out, Tensor a, Tensor b) override;
  void scale(Tensor out, Tensor x, float factor) override;
  void softcap(Tensor out, Tensor x, float cap) override;
  void route(Tensor chosen, Tensor weights, Tensor scores, const RouteSpec& spec) override;
  void expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) override;
  void expert_sum(Tensor out, Tensor x, Tensor weights) override;

 protected:
  /// Works on items [first, last); no item depends on another.
  using Items = std::function<void(std::int64_t first, std::int64_t last)>;

  /// Does items 0 .. n - 1, each of about `cost` multiplications. A device with threads shares them
  /// out, and so computes the same.
  virtual void for_items(std::int64_t n, std::int64_t cost, const Items& items) {
    (void)cost;
    items(0, n);
  }

  const Step& step() const { return step_; }

 private:
  Step step_;
};

}  // namespace hearth
