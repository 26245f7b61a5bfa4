#include "engine/retrieval/index_builder.h"

#include <algorithm>

#include "base/error.h"
#include "base/output_file.h"

namespace hearth::retrieval {
namespace {

/// Of a segment: what is held in memory until it is written.
constexpr std::uint64_t kMostRecordsAtOnce = 1 << 17;
constexpr std::uint64_t kMostVectorBytes = 64 << 20;

std::uint64_t records_of_a_segment(const VectorLayout& layout) {
  const std::uint64_t row = std::max<std::uint64_t>(1, layout.dimension * sizeof(float));
  return std::min(kMostRecordsAtOnce, kMostVectorBytes / row);
}

}  // namespace

std::uint64_t IndexBuilder::n_segments(const VectorLayout& layout, std::uint64_t n_records) {
  const std::uint64_t each = records_of_a_segment(layout);
  return (n_records + each - 1) / each;
}

std::filesystem::path place_beside(const std::filesystem::path& path) {
  return link_target(path).string() + ".new";
}

std::filesystem::path create_beside(const std::filesystem::path& path,
                                    const IndexSettings& settings) {
  const std::filesystem::path beside = place_beside(path);
  if (std::filesystem::exists(beside)) IndexFile(beside, Access::write);  // is it free?
  std::filesystem::remove(beside);
  Index::create(beside, settings);
  return beside;
}

IndexBuilder::IndexBuilder(const std::filesystem::path& path, const IndexSettings& settings)
    : path_(link_target(path)),
      beside_(create_beside(path, settings)),
      layout_(settings.layout),
      file_(std::make_unique<IndexFile>(beside_, Access::write)),
      writer_(layout_) {}

IndexBuilder::~IndexBuilder() {
  if (!file_) return;
  std::error_code ignored;
  std::filesystem::remove(beside_, ignored);
}

void IndexBuilder::add(const Record& record) {
  check_vector(layout_, record);
  writer_.add(record);
  if (writer_.n_records() == records_of_a_segment(layout_)) flush();
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
