// What an index holds: texts, each with a name, facts about it and, where there is an embedder, a
// vector.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::retrieval {

enum class Metric : std::uint32_t { inner_product, cosine, l2 };  // l2: squared distance

/// How vectors are kept. int8: a byte per element and a scale per vector, to find candidates, and
/// the float32 vectors, from which the candidates' scores are computed.
enum class Storage : std::uint32_t { f32, f16, int8 };

struct Record {
  std::string key;  // there is one record with this key at most
  std::string text;
  std::vector<std::pair<std::string, std::string>> facts = {};  // "source" and so on
  std::vector<float> vector = {};                               // [dimension]
};

/// The same, in the index's memory.
struct RecordView {
  std::string_view key;
  std::string_view text;
  std::vector<std::pair<std::string_view, std::string_view>> facts;

  /// The fact's value, empty if there is none.
  std::string_view fact(std::string_view name) const {
    for (const auto& [known, value] : facts) {
      if (known == name) return value;
    }
    return {};
  }
};

/// A condition on a record's facts.
struct Condition {
  /// less and more: of numbers where both are, else of texts, byte by byte.
  enum class Is : std::uint8_t { equal, other, prefix, less, more, in };

  std::string name;
  Is is = Is::equal;
  std::string value = {};
  std::vector<std::string> values = {};  // of `in`, in place of the one

  bool holds(const RecordView& record) const;
};

}  // namespace hearth::retrieval
