// A device that runs every verb on any number of other devices, alike, and shows what came out:
// none makes a listing of the verbs, one a trace, two a comparison.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/device/device.h"

namespace hearth {

/// A verb that has just run.
struct OpRecord {
  std::string_view verb;
  std::string weight;  // name of the matrix or vector it used; may be empty
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;  // kv_store has none
  std::string detail;           // its numbers, for people; may be empty
  bool is_sum = false;          // the output was there, and something was added to it
};

class MirrorDevice : public Device {
 public:
  /// The devices must outlive this one.
  explicit MirrorDevice(std::vector<Device*> sides) : sides_(std::move(sides)) {}

  std::unique_ptr<Matrix> load(const HostMatrix& matrix) override;
  std::unique_ptr<Buffer> allocate(std::size_t n) override;
  std::unique_ptr<KvCache> make_kv_cache(const KvShape& shape) override;
  void upload(Tensor out, std::span<const float> data) override;
  void download(std::span<float> data, Tensor x) override;
  void begin(const Step& step) override;
  void submit() override;

  void get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) override;
  void matmul(Tensor out, const Matrix& w, Tensor x) override;
  void matmuls(std::span<const Product> products, Tensor x) override;
  void gated_matmul(const Product& gate, const Product& up, Tensor x,
                    Activation activation) override;
  void rms_norm(Tensor out, Tensor x, Tensor weight, float eps) override;
  void layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) override;
  void rope(Tensor x, const Rope& rope) override;
  void kv_store(KvCache& cache, int layer, Tensor k, Tensor v) override;
  void rope_and_store(Tensor q, Tensor k, Tensor v, const Rope& rope, KvCache& cache,
                      int layer) override;
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
  /// Called before a verb that adds to its output is given to the devices.
  virtual void before(const OpRecord& record);

  /// Called after each verb has been given to all devices.
  virtual void after(const OpRecord& record) = 0;

  /// The same view in the memory of one of the devices.
  static Tensor view(Tensor tensor, std::size_t side);
  static Product view(const Product& product, std::size_t side);

  Device& side(std::size_t i) const { return *sides_[i]; }
  const Step& step() const { return step_; }

 private:
  template <class Verb>
  void each(const OpRecord& record, Verb verb);

  std::vector<Device*> sides_;
  Step step_;
};

}  // namespace hearth
