// Makes the bytes of a segment of records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/retrieval/index_format.h"
#include "engine/retrieval/record.h"

namespace hearth::retrieval {

/// How vectors of an index are kept.
struct VectorLayout {
  std::uint32_t dimension = 0;  // 0: there are none
  Metric metric = Metric::cosine;
  Storage storage = Storage::f32;

  /// Of a vector in the section `vectors`.
  std::size_t row_bytes() const {
    constexpr std::size_t kBytes[] = {4, 2, 1};
    return dimension * kBytes[static_cast<std::size_t>(storage)];
  }

  bool operator==(const VectorLayout&) const = default;
};

class SegmentWriter {
 public:
  explicit SegmentWriter(VectorLayout layout) : layout_(layout) {}

  /// The vector has the layout's dimension. For cosine it is divided by its length.
  void add(const Record& record);

  /// Names a record of an earlier segment that is deleted, by its number among all.
  void bury(std::uint64_t record) { tombstones_.push_back(record); }

  std::uint64_t n_records() const { return lengths_.size(); }
  bool is_empty() const { return lengths_.empty() && tombstones_.empty(); }

  /// The segment, for a place in the file. `first_record` is the number of its first record.
  std::vector<std::byte> finish(std::uint64_t at, std::uint64_t first_record);

 private:
  void add_vector(std::span<const float> vector);
  void add_terms(const std::string& text);
  void add_postings();

  struct Posting {
    std::uint32_t record;
    std::uint32_t count;
  };

  std::string& section(SectionKind kind) { return sections_[static_cast<std::size_t>(kind)]; }

  VectorLayout layout_;
  std::string sections_[kSections];
  std::vector<std::uint64_t> offsets_ = {0};
  std::vector<KeyEntry> keys_;
  std::vector<std::uint32_t> lengths_;
  std::map<std::string, std::vector<Posting>, std::less<>> postings_;
  std::vector<std::uint64_t> tombstones_;
};

/// Throws Error if the record's vector is not of the layout's dimension, or cannot be stored: it is
/// not finite, or too large for half floats.
void check_vector(const VectorLayout& layout, const Record& record);

/// A record's bytes in the section `records`: key, text, facts, each with its length in front, and
/// the low half of their hash.
std::string record_bytes(const Record& record);

/// Reads them. False if they are not a record.
bool read_record(std::span<const std::byte> bytes, RecordView& record);

}  // namespace hearth::retrieval
