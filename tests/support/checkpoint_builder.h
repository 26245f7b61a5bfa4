// Checkpoints as Hugging Face has them, made by tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/convert/sentencepiece_model.h"

namespace hearth::test {

/// A safetensors file: the header's length, the header, the data.
std::string safetensors(const std::string& header, const std::string& data);

/// A SentencePiece model of such pieces, the first being <unk>.
std::string sentencepiece_model(const std::vector<std::string>& pieces);
std::string sentencepiece_model(const std::vector<SentencePiece>& pieces);

/// Writes a checkpoint, tensor by tensor.
class CheckpointBuilder {
 public:
  explicit CheckpointBuilder(std::filesystem::path folder);

  /// Float32 from a normal distribution.
  void add(const std::string& name, std::vector<std::uint64_t> shape, double spread = 0.3,
           double middle = 0.0);

  /// Bytes of a type as the header calls it.
  void add(const std::string& name, const std::vector<std::uint64_t>& shape, std::string_view dtype,
           std::string_view bytes);

  void file(const std::string& name, const std::string& text) const;

  void finish() const { file("model.safetensors", safetensors(header_.dump(), data_)); }

 private:
  std::filesystem::path folder_;
  nlohmann::ordered_json header_ = nlohmann::ordered_json::object();
  std::string data_;
  std::mt19937 random_{7};
};

}  // namespace hearth::test
