// What a model will take of each device's memory, to the byte, before anything is loaded: pure
// functions of the file's tensor list, the device's rules and what is asked for. What is planned
// here is what is then reserved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device/memory_rules.h"
#include "engine/model/hparams.h"
#include "gguf/reader.h"

namespace hearth {

/// What keys and values may be stored as, as options name it; the exact one first.
struct KvTypeName {
  QuantType type;
  std::string_view name;
};
inline constexpr KvTypeName kKvTypeNames[] = {
    {QuantType::F32, "f32"}, {QuantType::F16, "f16"}, {QuantType::Q8_0, "q8_0"}};

/// Layers [first_gpu_layer, n_layer) and the head are on the GPU; what comes before, and the
/// embedding, on the CPU. The residual stream is handed over once.
struct Split {
  int n_layer = 0;
  int n_gpu_layers = 0;

  int first_gpu_layer() const { return n_layer - n_gpu_layers; }
  bool has_gpu() const { return n_gpu_layers > 0; }
};

struct PlanShape {
  int n_ctx = 0;
  int n_ubatch = 512;
  int n_slots = 1;
  QuantType kv_type = QuantType::F16;
};

/// Bytes of one kind of tensor on a device.
struct MemoryClass {
  std::string name;
  std::uint64_t bytes = 0;
};

struct DeviceShare {
  std::vector<MemoryClass>
      classes;  // weights by their kind, KV cache, scratch, what is lost between pieces, and what
                // the device itself needs: `allocated` in all
  std::vector<std::uint64_t> pieces;       // in the order in which the device is asked for them
  std::uint64_t allocated = 0;             // in all, with what is lost between pieces
  std::vector<std::uint64_t> host_pieces;  // in the host's memory: the KV cache, if asked for
  std::uint64_t host_allocated = 0;

  std::uint64_t bytes_of(std::string_view name) const;
};

/// Plans for one model.
class Planner {
 public:
  /// `file` must outlive it. Throws Error when its family is unknown, its numbers are impossible or
  /// its tensors are not those of the family.
  explicit Planner(const gguf::Reader& file);

  int n_layer() const { return hparams_.n_layer; }
  const HParams& hparams() const { return hparams_; }

  DeviceShare gpu_share(int n_gpu_layers, const PlanShape& shape, const MemoryRules& rules) const;
  DeviceShare cpu_share(int n_gpu_layers, const PlanShape& shape, const MemoryRules& rules) const;

  /// The most layers whose share of the GPU is at most `budget`; 0 if not even one is.
  int most_layers(const PlanShape& shape, const MemoryRules& rules, std::uint64_t budget) const;

  /// The largest context, a multiple of 256 at most `most`, with which that many layers fit; 0 if
  /// none does.
  int largest_context(int n_gpu_layers, PlanShape shape, const MemoryRules& rules,
                      std::uint64_t budget, int most) const;

  /// The most exact of the types that take less than shape.kv_type, and with which that many layers
  /// fit; none if the device has none.
  std::optional<KvTypeName> smaller_kv_type(int n_gpu_layers, PlanShape shape,
                                            const MemoryRules& rules, std::uint64_t budget) const;

 private:
  struct Item {
    std::string kind;
    int layer;  // -1: of the whole model
    bool of_output;
    bool is_embedding;
    bool is_matrix;
    MatrixShape matrix;
    std::size_t floats;  // of a vector
  };
  DeviceShare share(const Split& split, bool of_gpu, const PlanShape& shape,
                    const MemoryRules& rules) const;
  bool fits(int n_gpu_layers, const PlanShape& shape, const MemoryRules& rules,
            std::uint64_t budget) const;

  HParams hparams_;
  std::vector<Item> items_;  // in the order of loading
  bool is_tied_ = false;     // the head is the embedding
  MatrixShape tied_head_;
};

/// What does not fit, and what would: for people. `device` is its name.
std::string advice(const Planner& planner, int n_gpu_layers, const PlanShape& shape,
                   const MemoryRules& rules, std::uint64_t budget);

}  // namespace hearth
