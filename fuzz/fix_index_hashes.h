// Makes the checksums of an index file right again after its bytes were changed: so that what lies
// behind them is tried too, as an enemy would.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "base/hash64.h"
#include "engine/retrieval/index_file.h"

namespace hearth::retrieval {

/// A part of a file that may lie outside of it: then empty.
inline std::span<std::byte> part_of(std::span<std::byte> file, std::uint64_t at,
                                    std::uint64_t bytes) {
  if (at > file.size() || bytes > file.size() - at) return {};
  return file.subspan(at, bytes);
}

template <class Struct>
Struct load(std::span<const std::byte> from) {
  Struct value;
  std::memcpy(&value, from.data(), sizeof value);
  return value;
}

template <class Head>
void store_hashed(std::span<std::byte> to, Head head) {
  head.hash = head_hash(head);
  std::memcpy(to.data(), &head, sizeof head);
}

/// Each record ends with the low half of the hash of what is before.
inline void fix_records(std::span<std::byte> records, std::span<const std::byte> offsets) {
  for (std::size_t i = 0; (i + 2) * sizeof(std::uint64_t) <= offsets.size(); ++i) {
    const auto begin = load<std::uint64_t>(offsets.subspan(i * sizeof(std::uint64_t)));
    const auto end = load<std::uint64_t>(offsets.subspan((i + 1) * sizeof(std::uint64_t)));
    if (end < begin + sizeof(std::uint32_t) || begin > records.size()) continue;
    const std::span<std::byte> record = part_of(records, begin, end - begin);
    if (record.size() < sizeof(std::uint32_t)) continue;
    const auto content = record.first(record.size() - sizeof(std::uint32_t));
    const auto hash = static_cast<std::uint32_t>(hash64(content));
    std::memcpy(record.data() + content.size(), &hash, sizeof hash);
  }
}

inline void fix_segment(std::span<std::byte> file, std::uint64_t at) {
  const std::span<std::byte> place = part_of(file, at, sizeof(SegmentHead));
  if (place.empty()) return;
  auto head = load<SegmentHead>(place);
  const auto section = [&](SectionKind kind) {
    const Section& s = head.sections[static_cast<std::size_t>(kind)];
    return part_of(file, s.at, s.bytes);
  };
  fix_records(section(SectionKind::records), section(SectionKind::offsets));
  for (Section& s : head.sections) s.hash = hash64(part_of(file, s.at, s.bytes));
  store_hashed(place, head);
}

inline void fix_index_hashes(std::span<std::byte> file) {
  if (file.size() < kHeadBytes) return;
  store_hashed(file, load<FileHead>(file));
  for (const std::uint64_t at : kSuperblockAt) {
    auto block = load<Superblock>(file.subspan(at));
    if (block.n_segments > kMostSegments) continue;
    const std::span<std::byte> directory =
        part_of(file, block.directory_at, block.n_segments * sizeof(DirectoryEntry));
    for (std::size_t i = 0; (i + 1) * sizeof(DirectoryEntry) <= directory.size(); ++i) {
      fix_segment(file, load<DirectoryEntry>(directory.subspan(i * sizeof(DirectoryEntry))).at);
    }
    block.directory_hash = hash64(directory);
    store_hashed(file.subspan(at), block);
  }
}

}  // namespace hearth::retrieval
