#include "tests/support/checkpoint_builder.h"

#include <cstring>
#include <fstream>
#include <utility>

namespace hearth::test {

std::string safetensors(const std::string& header, const std::string& data) {
  std::string out(8, '\0');
  const std::uint64_t n = header.size();
  std::memcpy(out.data(), &n, 8);
  return out + header + data;
}

std::string sentencepiece_model(const std::vector<std::string>& pieces) {
  std::vector<SentencePiece> all;
  for (const std::string& text : pieces) {
    all.push_back({.text = text, .type = all.empty() ? 2 : 1});  // unknown, normal
  }
  return sentencepiece_model(all);
}

// Protocol buffers: field 1 is a piece, of which field 1 is the text, field 2 the score and field 3
// the type.
std::string sentencepiece_model(const std::vector<SentencePiece>& pieces) {
  std::string out;
  for (const SentencePiece& one : pieces) {
    std::string piece = "\x0A" + std::string(1, static_cast<char>(one.text.size())) + one.text;
    piece += '\x15';
    piece.append(reinterpret_cast<const char*>(&one.score), sizeof one.score);
    piece += {'\x18', static_cast<char>(one.type)};
    out += "\x0A" + std::string(1, static_cast<char>(piece.size())) + piece;
  }
  return out;
}

CheckpointBuilder::CheckpointBuilder(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::filesystem::create_directories(folder_);
}

void CheckpointBuilder::add(const std::string& name, std::vector<std::uint64_t> shape,
                            double spread, double middle) {
  std::size_t n = 1;
  for (const std::uint64_t size : shape) n *= size;
  std::normal_distribution<double> normal(middle, spread);
  std::string bytes;
  for (std::size_t i = 0; i < n; ++i) {
    const auto v = static_cast<float>(normal(random_));
    bytes.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  add(name, shape, "F32", bytes);
}

void CheckpointBuilder::add(const std::string& name, const std::vector<std::uint64_t>& shape,
                            std::string_view dtype, std::string_view bytes) {
  const std::size_t begin = data_.size();
  data_ += bytes;
  header_[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data_.size()}}};
}

void CheckpointBuilder::file(const std::string& name, const std::string& text) const {
  std::filesystem::create_directories((folder_ / name).parent_path());
  std::ofstream(folder_ / name, std::ios::binary) << text;
}

}  // namespace hearth::test
