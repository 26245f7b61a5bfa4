#include "engine/convert/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace hearth {
namespace {

using Json = nlohmann::json;

struct TypeRow {
  std::string_view name;
  std::uint64_t bytes;
  std::optional<QuantType> type;  // none: not of weights
};
const TypeRow kTypes[] = {
    {"F32", 4, QuantType::F32},
    {"F16", 2, QuantType::F16},
    {"BF16", 2, QuantType::BF16},
    {"F64", 8, {}},
    {"I64", 8, {}},
    {"U64", 8, {}},
    {"I32", 4, {}},
    {"U32", 4, {}},
    {"I16", 2, {}},
    {"U16", 2, {}},
    {"I8", 1, {}},
    {"U8", 1, {}},
    {"BOOL", 1, {}},
    {"F8_E4M3", 1, {}},
    {"F8_E5M2", 1, {}},
};

constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // as the format's own reader has it
constexpr std::size_t kMostDims = 8;

class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  std::map<std::string, SafeTensor, std::less<>> run() {
    const Json header = read_header();
    std::map<std::string, SafeTensor, std::less<>> tensors;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      if (std::optional<SafeTensor> tensor = read_tensor(name, entry)) {
        tensors.emplace(name, std::move(*tensor));
      }
    }
    check_overlaps();
    return tensors;
  }

 private:
  [[noreturn]] void refuse(std::string what, std::string expected, std::string got) const {
    throw Error({.where = name_,
                 .what = std::move(what),
                 .expected = std::move(expected),
                 .got = std::move(got)});
  }

  Json read_header() {
    std::uint64_t length = 0;
    if (bytes_.size() < sizeof length) {
      refuse("is too short for a safetensors file", "at least 8 bytes",
             fmt::format("{}", bytes_.size()));
    }
    std::memcpy(&length, bytes_.data(), sizeof length);
    const std::uint64_t most = std::min(kMostHeaderBytes, bytes_.size() - sizeof length);
    if (length < 2 || length > most) {
      refuse("the length of the header cannot be", fmt::format("2 to {} bytes", most),
             fmt::format("{}", length));
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + sizeof length,
                                length);
    data_ = bytes_.subspan(sizeof length + length);
    std::set<std::string> names;
    const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
      constexpr int kDeepest = 4;
      if (depth > kDeepest) refuse("the header nests too deeply", {}, {});
      const bool is_name = event == Json::parse_event_t::key && depth == 1;
      if (is_name && !names.insert(value.get<std::string>()).second) {
        refuse("a tensor's name stands twice", {}, value.get<std::string>());
      }
      return true;
    };
    try {
      Json header = Json::parse(text, check);
      if (!header.is_object()) refuse("the header is not a JSON object", "{…}", {});
      return header;
    } catch (const Json::exception& error) {
      refuse("the header is not JSON", "a safetensors file", error.what());
    }
  }

  std::uint64_t number(const std::string& tensor, const Json& value) const {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    refuse(fmt::format("tensor \"{}\": not a size", tensor), "a whole number", value.dump());
  }

  std::optional<SafeTensor> read_tensor(const std::string& name, const Json& entry) {
    const bool has_all = entry.is_object() && entry.contains("dtype") && entry.contains("shape") &&
                         entry.contains("data_offsets") && entry["dtype"].is_string() &&
                         entry["shape"].is_array() && entry["data_offsets"].is_array() &&
                         entry["data_offsets"].size() == 2;
    if (!has_all) {
      refuse(fmt::format("tensor \"{}\" is not described", name),
             "dtype, shape and two data_offsets", {});
    }
    const std::string word = entry["dtype"].get<std::string>();
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const TypeRow& row) { return row.name == word; });
    if (type == std::end(kTypes)) {
      refuse(fmt::format("tensor \"{}\" has an unknown type", name), "F32, F16, BF16 …", word);
    }
    SafeTensor tensor;
    if (entry["shape"].size() > kMostDims) {
      refuse(fmt::format("tensor \"{}\" has too many dimensions", name),
             fmt::format("at most {}", kMostDims), fmt::format("{}", entry["shape"].size()));
    }
    std::uint64_t bytes = type->bytes;
    for (const Json& size : entry["shape"]) {
      tensor.shape.push_back(number(name, size));
      if (__builtin_mul_overflow(bytes, tensor.shape.back(), &bytes)) {
        refuse(fmt::format("tensor \"{}\" is larger than anything", name), {}, {});
      }
    }
    const std::uint64_t begin = number(name, entry["data_offsets"][0]);
    const std::uint64_t end = number(name, entry["data_offsets"][1]);
    if (begin > end || end > data_.size() || end - begin != bytes) {
      refuse(fmt::format("tensor \"{}\" is not where the header says", name),
             fmt::format("{} bytes within {}", bytes, data_.size()),
             fmt::format("{} to {}", begin, end));
    }
    if (bytes > 0) ranges_.emplace_back(begin, end);
    if (!type->type) return std::nullopt;
    tensor.type = *type->type;
    tensor.data = data_.subspan(begin, end - begin);
    return tensor;
  }

  void check_overlaps() {
    std::sort(ranges_.begin(), ranges_.end());
    for (std::size_t i = 1; i < ranges_.size(); ++i) {
      if (ranges_[i].first < ranges_[i - 1].second) {
        refuse("two tensors share bytes", {}, fmt::format("at offset {}", ranges_[i].first));
      }
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::span<const std::byte> data_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;
};

}  // namespace

std::uint64_t SafeTensor::elements() const {
  std::uint64_t n = 1;
  for (const std::uint64_t size : shape) n *= size;
  return n;
}

std::map<std::string, SafeTensor, std::less<>> parse_safetensors(std::span<const std::byte> bytes,
                                                                 const std::string& name) {
  return Parser(bytes, name).run();
}

}  // namespace hearth
