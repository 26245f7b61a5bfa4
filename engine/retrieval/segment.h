// A segment of an index as it lies in the file: views, each checked when it is first used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/retrieval/index_file.h"
#include "engine/retrieval/record.h"
#include "engine/retrieval/segment_writer.h"

namespace hearth::retrieval {

class Segment {
 public:
  /// Checks the head and that sections lie in the file and are as large as they must be. `file`
  /// outlives the segment. Throws Error.
  Segment(const IndexFile& file, const DirectoryEntry& entry, VectorLayout layout,
          std::uint64_t first_record);

  std::uint64_t n_records() const { return head_.n_records; }
  std::uint64_t first_record() const { return head_.first_record; }
  std::uint64_t n_words() const { return head_.n_words; }

  /// A section's elements; its checksum is computed the first time. Throws Error if it is damaged.
  /// Not from several threads at once. The sections `records` and `exact` have checksums of their
  /// parts instead.
  template <class Element>
  std::span<const Element> section(SectionKind kind) const {
    const std::span<const std::byte> bytes = checked(kind);
    return {reinterpret_cast<const Element*>(bytes.data()), bytes.size() / sizeof(Element)};
  }

  /// Record `i` of the segment. Throws Error if it is damaged.
  RecordView record(std::uint64_t i) const;

  /// The float32 vector of record i, as it was stored. Throws Error if it is damaged.
  std::vector<float> vector(std::uint64_t i) const;

  /// The same without a copy, with int8 storage.
  std::span<const float> exact(std::uint64_t i) const;

  /// The records whose keys have this hash.
  std::vector<std::uint64_t> with_key_hash(std::uint64_t hash) const;

  /// The records that have a term, with how often; none if there are none.
  struct Posting {
    std::uint32_t record;
    std::uint32_t count;
  };
  std::vector<Posting> postings(std::string_view term) const;

 private:
  std::span<const std::byte> bytes_of(SectionKind kind) const;
  std::span<const std::byte> checked(SectionKind kind) const;
  void check_sections() const;
  [[noreturn]] void damaged(std::string_view what) const;

  const IndexFile& file_;
  VectorLayout layout_;
  SegmentHead head_ = {};
  mutable bool is_checked_[kSections] = {};
};

}  // namespace hearth::retrieval
