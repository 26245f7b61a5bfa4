// An index that is written beside its place and takes it when it is whole.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/retrieval/index.h"
#include "engine/retrieval/segment_writer.h"

namespace hearth::retrieval {

/// Where an index is until it takes its place, `path` (its target, if it is a link).
std::filesystem::path place_beside(const std::filesystem::path& path);

/// Makes an empty index at place_beside(), in the place of one that is left there. Returns where.
/// Throws Error if another process is at it.
std::filesystem::path create_beside(const std::filesystem::path& path,
                                    const IndexSettings& settings);

class IndexBuilder {
 public:
  /// Begins a file beside `path` as create_beside() does.
  IndexBuilder(const std::filesystem::path& path, const IndexSettings& settings);
  IndexBuilder(const IndexBuilder&) = delete;
  IndexBuilder& operator=(const IndexBuilder&) = delete;

  /// Removes the file unless finish() was called.
  ~IndexBuilder();

  /// Segments that it makes of so many records.
  static std::uint64_t n_segments(const VectorLayout& layout, std::uint64_t n_records);

  /// The next record, with a key that no other has. Throws Error if its vector cannot be stored.
  void add(const Record& record);

  /// Gives the file its name, whatever had it; the file is open, to write.
  std::unique_ptr<IndexFile> finish();

 private:
  void flush();

  std::filesystem::path path_, beside_;
  VectorLayout layout_;
  std::unique_ptr<IndexFile> file_;
  SegmentWriter writer_;
  std::uint64_t n_written_ = 0;
};

}  // namespace hearth::retrieval
