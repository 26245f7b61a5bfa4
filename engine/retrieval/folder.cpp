#include "engine/retrieval/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/hash64.h"
#include "base/output_file.h"
#include "engine/retrieval/document_files.h"
#include "engine/retrieval/index_builder.h"
#include "engine/retrieval/near_duplicates.h"
#include "engine/retrieval/words.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;

/// A word without end may be one unknown token; what is cut is never longer than this for each.
constexpr std::size_t kMostBytesOfToken = 64;

/// Another number when documents are cut, or words are found, in another way: an index that is
/// brought up to date has them all in the newest.
constexpr int kWayOfCutting = 2;

/// Chunks that are embedded together.
constexpr std::size_t kChunksAtOnce = 256;

/// What an index knows of a document.
struct Known {
  std::string hash;
  std::vector<std::string> keys;
};

std::map<std::string, Known> known_documents(const Index& index) {
  std::map<std::string, Known> known;
  for (std::uint64_t number = 0; number < index.n_numbers(); ++number) {
    if (!index.is_live(number)) continue;
    const RecordView record = index.record(number);
    Known& document = known[std::string(record.fact("source"))];
    document.hash = record.fact("hash");
    document.keys.emplace_back(record.key);
  }
  return known;
}

class FolderWork {
 public:
  FolderWork(Index& index, TextEmbedder* embedder, const FolderOptions& options,
             const ProgressFn& progress)
      : index_(index), embedder_(embedder), progress_(progress), keep_others_(options.keep_others) {
    chunking_.overlap_tokens = options.overlap_tokens;
    chunking_.max_tokens =
        embedder ? std::min(options.max_tokens, embedder->max_tokens()) : options.max_tokens;
    chunking_.count_tokens = [embedder](std::string_view text) {
      const int n = embedder ? embedder->count_tokens(text) : count_words(text);
      return std::max(n, static_cast<int>(text.size() / kMostBytesOfToken));
    };
    known_ = known_documents(index);
  }

  void run(const DocumentFiles& files, bool skip_bad) {
    report_.files = files.found.size();
    report_.links = files.links;
    report_.others = files.others;
    for (const DocumentFile& document : files.found) total_ += document.bytes;
    for (const DocumentFile& document : files.found) {
      show_progress();
      try {
        take(document);
      } catch (const Cancelled&) {
        throw;
      } catch (const Error& error) {
        if (!skip_bad) throw;
        report_.bad.emplace_back(error.what());
      }
      done_ += document.bytes;
    }
    embed();
    for (const auto& [source, document] : known_) {
      if (keep_others_ || seen_.contains(source) || is_out_of_reach(files, source)) continue;
      ++report_.gone;
      for (const std::string& key : document.keys) index_.remove(key);
    }
    for (const DocumentFiles::Unread& folder : files.unread) report_.bad.push_back(folder.why);
    show_progress();
  }

  FolderReport finish() {
    std::vector<std::string> texts, keys;
    for (std::uint64_t number = 0; number < index_.n_numbers(); ++number) {
      if (!index_.is_live(number)) continue;
      const RecordView record = index_.record(number);
      keys.emplace_back(record.key);
      texts.emplace_back(record.text);
    }
    report_.chunks = texts.size();
    for (const auto& [i, j] : near_duplicates(texts)) {
      report_.near_duplicates.push_back({keys[i], keys[j]});
    }
    return std::move(report_);
  }

 private:
  /// Whether a document lies in a folder that could not be read.
  static bool is_out_of_reach(const DocumentFiles& files, const std::string& source) {
    return std::any_of(
        files.unread.begin(), files.unread.end(),
        [&](const DocumentFiles::Unread& folder) { return source.starts_with(folder.source); });
  }

  void show_progress(double of_document = 0.0, std::uint64_t bytes = 0) const {
    const auto part = static_cast<std::uint64_t>(of_document * static_cast<double>(bytes));
    hearth::report(progress_, std::min(done_ + part, total_), total_);
  }

  void take(const DocumentFile& document) {
    seen_.insert(document.source);
    const std::string text = read_document(document.path);
    Hash64 hash;
    hash.add(text);
    hash.add(
        fmt::format("|{}|{}|{}", chunking_.max_tokens, chunking_.overlap_tokens, kWayOfCutting));
    const std::string stamp = fmt::format("{:016x}", hash.value());
    const auto before = known_.find(document.source);
    if (before != known_.end() && before->second.hash == stamp) {
      ++report_.unchanged;
      return;
    }
    ++(before == known_.end() ? report_.fresh : report_.changed);
    if (before != known_.end()) {
      for (const std::string& key : before->second.keys) index_.remove(key);
    }
    const auto chunks = chunk(parse_document(text, format_of(document.source)), chunking_);
    if (chunks.empty()) report_.without_text.push_back(document.source);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      waiting_.push_back({.key = fmt::format("{}#{}", document.source, i + 1),
                          .text = chunks[i].text,
                          .facts = {{"source", document.source},
                                    {"heading", chunks[i].heading},
                                    {"line", fmt::format("{}", chunks[i].line)},
                                    {"hash", stamp}}});
      if (waiting_.size() < kChunksAtOnce) continue;
      embed();
      show_progress(static_cast<double>(i + 1) / static_cast<double>(chunks.size()),
                    document.bytes);
    }
    report_.chunks_made += chunks.size();
  }

  /// Gives the waiting chunks their vectors and puts them into the index.
  void embed() {
    if (embedder_ && !waiting_.empty()) {
      std::vector<std::string> texts;
      for (const Record& record : waiting_) texts.push_back(record.text);
      const ProgressFn may_go_on = [this](std::uint64_t, std::uint64_t) {
        return !progress_ || progress_(done_, total_);
      };
      std::vector<EmbeddedText> embedded = embedder_->embed_documents(texts, may_go_on);
      for (std::size_t i = 0; i < waiting_.size(); ++i) {
        report_.truncated += embedded[i].is_truncated();
        report_.tokens += static_cast<std::uint64_t>(embedded[i].n_tokens);
        report_.unknown_tokens += static_cast<std::uint64_t>(embedded[i].n_unknown);
        waiting_[i].vector = std::move(embedded[i].vector);
      }
    }
    for (Record& record : waiting_) index_.put(std::move(record));
    waiting_.clear();
  }

  Index& index_;
  TextEmbedder* embedder_;
  const ProgressFn& progress_;
  bool keep_others_;
  std::uint64_t done_ = 0, total_ = 0;  // bytes of documents
  ChunkOptions chunking_;
  std::map<std::string, Known> known_;
  std::set<std::string> seen_;
  std::vector<Record> waiting_;
  FolderReport report_;
};

IndexSettings settings_for(TextEmbedder* embedder, const FolderOptions& options) {
  IndexSettings settings;
  settings.layout.storage = options.storage;
  if (embedder) {
    settings.layout.dimension = embedder->dimension();
    settings.embedder = embedder->fingerprint();
  }
  return settings;
}

FolderReport bring_up_to_date(Index& index, const DocumentFiles& files, TextEmbedder* embedder,
                              const FolderOptions& options, const ProgressFn& progress) {
  index.check_embedder(embedder ? embedder->fingerprint() : std::string());
  const bool was_damaged = index.is_fallback();
  FolderWork work(index, embedder, options, progress);
  work.run(files, options.skip_bad);
  index.commit();
  FolderReport report = work.finish();
  report.was_damaged = was_damaged;
  return report;
}

/// Compacts the index if it wants that. Why it could not be done, if it could not: the index is up
/// to date without it.
std::string compaction_problem(Index& index) {
  try {
    if (index.wants_compaction()) index.compact();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

FolderReport index_folder(const fs::path& path, const fs::path& root, TextEmbedder* embedder,
                          const FolderOptions& options, const ProgressFn& progress) {
  const DocumentFiles files = find_documents(root, path);
  if (!files.unread.empty() && !options.skip_bad) throw Error(files.unread.front().why);
  if (files.found.empty()) {
    throw Error({.where = root.string(),
                 .what = "there is nothing to index",
                 .expected = "files that end in .md, .txt or .html",
                 .got = "none"});
  }
  if (fs::exists(path)) {
    Index index(path, Access::write);
    FolderReport report = bring_up_to_date(index, files, embedder, options, progress);
    report.not_compacted = compaction_problem(index);
    return report;
  }
  // Nobody sees a new index before it is whole.
  const fs::path beside = create_beside(path, settings_for(embedder, options));
  try {
    Index index(beside, Access::write);
    FolderReport report = bring_up_to_date(index, files, embedder, options, progress);
    index.move_to(link_target(path));
    return report;
  } catch (...) {
    std::error_code ignored;
    fs::remove(beside, ignored);
    throw;
  }
}

}  // namespace hearth::retrieval
