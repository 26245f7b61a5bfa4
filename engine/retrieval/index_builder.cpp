#include "engine/retrieval/index_builder.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::retrieval {
namespace {

/// Of a segment: what is held in memory until it is written.
constexpr std::uint64_t kMostRecordsAtOnce = 1 << 17;
constexpr std::uint64_t kMostVectorBytes = 256 << 20;

}  // namespace

IndexBuilder::IndexBuilder(const std::filesystem::path& path, const IndexSettings& settings)
    : path_(path), beside_(path.string() + ".new"), layout_(settings.layout), writer_(layout_) {
  if (std::filesystem::exists(beside_)) IndexFile(beside_, Access::write);  // is it free?
  std::filesystem::remove(beside_);
  Index::create(beside_, settings);
  file_ = std::make_unique<IndexFile>(beside_, Access::write);
}

IndexBuilder::~IndexBuilder() {
  if (!file_) return;
  std::error_code ignored;
  std::filesystem::remove(beside_, ignored);
}

void IndexBuilder::add(const Record& record) {
  check_vector(layout_, record);
  writer_.add(record);
  const std::uint64_t bytes = writer_.n_records() * layout_.dimension * sizeof(float);
  if (writer_.n_records() == kMostRecordsAtOnce || bytes >= kMostVectorBytes) flush();
}

void IndexBuilder::flush() {
  if (writer_.is_empty()) return;
  file_->commit(writer_.finish(file_->next_segment_at(), n_written_), writer_.n_records());
  n_written_ += writer_.n_records();
  writer_ = SegmentWriter(layout_);
}

std::unique_ptr<IndexFile> IndexBuilder::finish() {
  flush();
  file_->move_to(path_);
  return std::move(file_);
}

}  // namespace hearth::retrieval
