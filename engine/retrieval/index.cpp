#include "engine/retrieval/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/hash64.h"
#include "engine/retrieval/index_builder.h"

namespace hearth::retrieval {
namespace {

/// More than are needed.
constexpr std::uint64_t kManySegments = 32;

FileHead file_head(const IndexSettings& settings) {
  FileHead head{};
  head.magic = kMagic;
  head.version = kVersion;
  head.dimension = settings.layout.dimension;
  head.metric = static_cast<std::uint32_t>(settings.layout.metric);
  head.storage = static_cast<std::uint32_t>(settings.layout.storage);
  HEARTH_CHECK(settings.embedder.size() < sizeof head.embedder);
  std::copy(settings.embedder.begin(), settings.embedder.end(), head.embedder);
  head.hash = head_hash(head);
  return head;
}

}  // namespace

std::string_view metric_name(Metric metric) {
  constexpr std::string_view kNames[] = {"inner product", "cosine", "squared distance"};
  return kNames[static_cast<std::size_t>(metric)];
}

void Index::create(const std::filesystem::path& path, const IndexSettings& settings) {
  if (settings.layout.dimension > kMostDimensions) {
    throw Error({.where = path.string(),
                 .what = "vectors are too long",
                 .expected = fmt::format("at most {}", kMostDimensions),
                 .got = fmt::format("{}", settings.layout.dimension)});
  }
  IndexFile::create(path, file_head(settings));
}

Index::Index(const std::filesystem::path& path, Access access, int n_threads)
    : file_(std::make_unique<IndexFile>(path, access)), path_(path), n_threads_(n_threads) {
  load();
}

Index::Index(std::span<const std::byte> bytes, std::string name)
    : file_(std::make_unique<IndexFile>(bytes, std::move(name))), n_threads_(1) {
  load();
}

void Index::load() {
  const FileHead& head = file_->head();
  if (head.metric > static_cast<std::uint32_t>(Metric::l2) ||
      head.storage > static_cast<std::uint32_t>(Storage::int8)) {
    file_->refuse("the head of the index is damaged", std::string(kWholeIndex), {});
  }
  settings_.layout = {.dimension = head.dimension,
                      .metric = static_cast<Metric>(head.metric),
                      .storage = static_cast<Storage>(head.storage)};
  settings_.embedder = head.embedder;
  segments_.clear();
  std::uint64_t n = 0;
  for (const DirectoryEntry& entry : file_->directory()) {
    segments_.emplace_back(*file_, entry, settings_.layout, n);
    n += segments_.back().n_records();
    if (n > kMostRecords) file_->refuse("the index is damaged: too many records", {}, {});
  }
  deleted_.assign(n, false);
  n_live_ = n;
  n_words_.reset();
  for (const Segment& segment : segments_) {
    for (const std::uint64_t number : segment.section<std::uint64_t>(SectionKind::tombstones)) {
      if (number >= segment.first_record() || deleted_[number]) {
        file_->refuse("the index is damaged: the list of what is deleted", std::string(kWholeIndex),
                      {});
      }
      deleted_[number] = true;
      --n_live_;
    }
  }
}

void Index::check_embedder(const std::string& fingerprint) const {
  if (fingerprint == settings_.embedder) return;
  if (settings_.embedder.empty()) {
    file_->refuse("the index has no vectors: it was made without an embedding model",
                  "no --embedder, or an index that was made with one", fingerprint);
  }
  if (fingerprint.empty()) {
    file_->refuse("the index has vectors", "--embedder with the model that it was made with",
                  "none; that one was " + settings_.embedder);
  }
  file_->refuse(
      "the index was made with another embedding model, or other prefixes, pooling or length of "
      "texts: its vectors mean something else",
      settings_.embedder, fingerprint);
}

const Segment& Index::segment_of(std::uint64_t number) const {
  const auto after = std::upper_bound(
      segments_.begin(), segments_.end(), number,
      [](std::uint64_t n, const Segment& segment) { return n < segment.first_record(); });
  // Segments without records begin where the next one does: the last of those is the one.
  return *(after - 1);
}

RecordView Index::record(std::uint64_t number) const {
  HEARTH_CHECK(number < n_numbers());
  const Segment& segment = segment_of(number);
  return segment.record(number - segment.first_record());
}

std::vector<float> Index::vector(std::uint64_t number) const {
  HEARTH_CHECK(number < n_numbers());
  const Segment& segment = segment_of(number);
  return segment.vector(number - segment.first_record());
}

std::optional<std::uint64_t> Index::find(std::string_view key) const {
  const std::uint64_t hash = hash64(key);
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    for (const std::uint64_t i : segment->with_key_hash(hash)) {
      const std::uint64_t number = segment->first_record() + i;
      if (is_live(number) && segment->record(i).key == key) return number;
    }
  }
  return std::nullopt;
}

bool Index::passes(std::uint64_t number, const Filter& filter) const {
  if (filter.empty()) return true;
  const RecordView view = record(number);
  return std::all_of(filter.begin(), filter.end(),
                     [&](const Condition& condition) { return condition.holds(view); });
}

void Index::put(Record record) {
  check_vector(settings_.layout, record);
  std::string key = record.key;
  pending_[std::move(key)] = std::move(record);
}

bool Index::remove(std::string_view key) {
  const auto waiting = pending_.find(key);
  const bool was_there =
      waiting != pending_.end() ? waiting->second.has_value() : find(key).has_value();
  if (was_there) pending_[std::string(key)] = std::nullopt;
  return was_there;
}

void Index::commit() {
  SegmentWriter writer(settings_.layout);
  for (const auto& [key, record] : pending_) {
    if (const auto old = find(key)) writer.bury(*old);
    if (record) writer.add(*record);
  }
  if (!writer.is_empty() || file_->is_fallback()) {  // the next commit makes a damaged one good
    const std::vector<std::byte> segment = writer.finish(file_->next_segment_at(), n_numbers());
    file_->commit(segment, writer.n_records());
  }
  pending_.clear();
  load();
}

void Index::move_to(const std::filesystem::path& path) {
  file_->move_to(path);
  path_ = path;
}

bool Index::wants_compaction() const {
  const std::uint64_t n_needed = IndexBuilder::n_segments(settings_.layout, n_live_);
  return segments_.size() > n_needed + kManySegments || n_deleted() > n_live_;
}

void Index::compact(const ProgressFn& progress) {
  HEARTH_CHECK(pending_.empty());
  IndexBuilder fresh(path_, settings_);
  for (std::uint64_t number = 0; number < n_numbers(); ++number) {
    report(progress, number, n_numbers());
    if (!is_live(number)) continue;
    const RecordView view = record(number);
    Record copy{.key = std::string(view.key), .text = std::string(view.text)};
    for (const auto& [name, value] : view.facts) copy.facts.emplace_back(name, value);
    if (settings_.layout.dimension > 0) copy.vector = vector(number);
    fresh.add(copy);
  }
  file_ = fresh.finish();
  load();
}

}  // namespace hearth::retrieval
