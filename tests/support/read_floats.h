#pragma once

#include <filesystem>
#include <fstream>
#include <vector>

namespace hearth::test {

/// A file of float32, as `hearth logits` writes it.
inline std::vector<float> read_floats(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<float> floats(std::filesystem::file_size(path) / sizeof(float));
  file.read(reinterpret_cast<char*>(floats.data()),
            static_cast<std::streamsize>(floats.size() * sizeof(float)));
  return floats;
}

}  // namespace hearth::test
