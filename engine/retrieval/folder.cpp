#include "engine/retrieval/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/error.h"
#include "base/hash64.h"
#include "base/utf8.h"
#include "engine/retrieval/near_duplicates.h"
#include "engine/retrieval/words.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;

/// Chunks that are embedded together, and so what is lost of the work when it is cancelled.
constexpr std::size_t kChunksAtOnce = 256;

struct Document {
  fs::path path;
  std::string source;  // in the folder
};

[[noreturn]] void fail(const fs::path& path, std::string what, std::string expected,
                       std::string got) {
  throw Error({.where = path.string(),
               .what = std::move(what),
               .expected = std::move(expected),
               .got = std::move(got)});
}

std::vector<Document> documents_under(const fs::path& root, const fs::path& index) {
  std::error_code failed;
  const fs::file_status status = fs::status(root, failed);
  if (!fs::exists(status)) fail(root, "there is no such folder or file", {}, failed.message());
  if (!fs::is_directory(status)) return {{root, root.filename().string()}};
  std::vector<Document> found;
  fs::recursive_directory_iterator at(root, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.')) {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    const bool is_index = fs::exists(index) && fs::equivalent(at->path(), index);
    if (!at->is_regular_file() || !is_document(name) || is_index) continue;
    found.push_back({at->path(), fs::relative(at->path(), root).generic_string()});
  }
  if (failed) fail(root, "a folder in it cannot be read", "permission to read", failed.message());
  std::sort(found.begin(), found.end(),
            [](const Document& a, const Document& b) { return a.source < b.source; });
  return found;
}

std::string read_document(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, "cannot be opened", "permission to read it", {});
  std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t bad = utf8::first_malformed(text);
  if (bad < text.size()) {
    fail(path, "is not UTF-8 text; convert it, or leave such files out with --skip-bad", "UTF-8",
         fmt::format("byte 0x{:02x} at offset {}", static_cast<unsigned char>(text[bad]), bad));
  }
  return text;
}

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
  FolderWork(Index& index, TextEmbedder* embedder, const FolderOptions& options)
      : index_(index), embedder_(embedder) {
    chunking_.overlap_tokens = options.overlap_tokens;
    chunking_.max_tokens =
        embedder ? std::min(options.max_tokens, embedder->max_tokens()) : options.max_tokens;
    chunking_.count_tokens = [embedder](std::string_view text) {
      return embedder ? embedder->count_tokens(text) : static_cast<int>(terms_of(text).size());
    };
    known_ = known_documents(index);
  }

  void run(const std::vector<Document>& documents, bool skip_bad, const ProgressFn& progress) {
    report_.files = documents.size();
    for (std::size_t i = 0; i < documents.size(); ++i) {
      hearth::report(progress, i, documents.size());
      try {
        take(documents[i]);
      } catch (const Cancelled&) {
        throw;
      } catch (const Error& error) {
        if (!skip_bad) throw;
        report_.bad.emplace_back(error.what());
      }
      if (waiting_.size() >= kChunksAtOnce) embed();
    }
    embed();
    for (const auto& [source, document] : known_) {
      if (seen_.contains(source)) continue;
      ++report_.gone;
      for (const std::string& key : document.keys) index_.remove(key);
    }
    hearth::report(progress, documents.size(), documents.size());
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
  void take(const Document& document) {
    seen_.insert(document.source);
    const std::string text = read_document(document.path);
    Hash64 hash;
    hash.add(text);
    hash.add(fmt::format("|{}|{}", chunking_.max_tokens, chunking_.overlap_tokens));
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
    }
    report_.chunks_made += chunks.size();
  }

  /// Gives the waiting chunks their vectors and puts them into the index.
  void embed() {
    if (embedder_ && !waiting_.empty()) {
      std::vector<std::string> texts;
      for (const Record& record : waiting_) texts.push_back(record.text);
      std::vector<EmbeddedText> embedded = embedder_->embed_documents(texts, {});
      for (std::size_t i = 0; i < waiting_.size(); ++i) {
        report_.truncated += embedded[i].is_truncated;
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
  ChunkOptions chunking_;
  std::map<std::string, Known> known_;
  std::set<std::string> seen_;
  std::vector<Record> waiting_;
  FolderReport report_;
};

}  // namespace

FolderReport index_folder(const fs::path& path, const fs::path& root, TextEmbedder* embedder,
                          const FolderOptions& options, const ProgressFn& progress) {
  const std::vector<Document> documents = documents_under(root, path);
  if (documents.empty()) {
    fail(root, "there is nothing to index", "files that end in .md, .txt or .html", "none");
  }
  const bool is_new = !fs::exists(path);
  if (is_new) {
    IndexSettings settings;
    settings.layout.storage = options.storage;
    if (embedder) {
      settings.layout.dimension = embedder->dimension();
      settings.embedder = embedder->fingerprint();
    }
    Index::create(path, settings);
  }
  try {
    Index index(path, Access::write);
    index.check_embedder(embedder ? embedder->fingerprint() : std::string());
    FolderWork work(index, embedder, options);
    work.run(documents, options.skip_bad, progress);
    index.commit();
    if (index.wants_compaction()) index.compact();
    return work.finish();
  } catch (...) {
    std::error_code ignored;
    if (is_new) fs::remove(path, ignored);
    throw;
  }
}

}  // namespace hearth::retrieval
