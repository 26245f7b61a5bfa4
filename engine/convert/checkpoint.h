// A folder as Hugging Face has them: config.json, weights in safetensors files, a tokenizer.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/convert/safetensors.h"
#include "gguf/mapped_file.h"

namespace hearth {

class Checkpoint {
 public:
  /// Maps and checks every file of weights: model.safetensors, or those that its index names.
  /// Throws Error.
  explicit Checkpoint(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }

  /// config.json; of a model with several parts, what it says of the text part, and of all.
  const nlohmann::json& config() const { return config_; }
  bool has_other_parts() const { return has_other_parts_; }

  /// What config() is to say where it says nothing.
  void set_default(std::string_view name, const nlohmann::json& value);

  /// A JSON file of the folder; none if there is no such file. Throws Error if it is not JSON.
  std::optional<nlohmann::json> json(const std::string& name) const;

  bool has(const std::string& name) const;
  std::string text(const std::string& name) const;

  const std::map<std::string, SafeTensor, std::less<>>& tensors() const { return tensors_; }

  /// Tells the system that a tensor will not be read again.
  void drop_pages(const SafeTensor& tensor) const;

  [[noreturn]] void refuse(const std::string& file, std::string what, std::string expected = {},
                           std::string got = {}) const;

 private:
  void map_weights();

  std::filesystem::path folder_;
  nlohmann::json config_;
  bool has_other_parts_ = false;
  std::vector<gguf::MappedFile> files_;
  std::map<std::string, SafeTensor, std::less<>> tensors_;
};

}  // namespace hearth
