// A folder of documents as an index: what changed, what cannot be read, what is not looked at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <map>

#include "base/error.h"
#include "engine/retrieval/folder.h"
#include "engine/retrieval/words.h"
#include "tests/support/temp_dir.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// Vectors of how often each letter a, b, c stands in a text.
class LetterEmbedder final : public TextEmbedder {
 public:
  std::string fingerprint() const override { return name; }
  std::uint32_t dimension() const override { return 3; }
  int max_tokens() const override { return 100; }
  int count_tokens(std::string_view text) const override { return count_words(text); }
  std::vector<EmbeddedText> embed_documents(std::span<const std::string> all,
                                            const ProgressFn&) override {
    std::vector<EmbeddedText> out;
    for (const std::string& text : all) out.push_back(embed_query(text));
    n_embedded += all.size();
    return out;
  }
  EmbeddedText embed_query(const std::string& text) override {
    std::vector<float> v(3, 0.1F);
    for (const char c : text) {
      if (c >= 'a' && c <= 'c') v[static_cast<std::size_t>(c - 'a')] += 1;
    }
    return {.vector = v, .n_tokens = 1, .n_kept = 1};
  }

  std::string name = "letters";
  std::size_t n_embedded = 0;
};

class Folder : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
  }

  test::TempDir dir_;
  fs::path root_ = dir_ / "docs";
  fs::path index_ = dir_ / "kb.hearth";
  LetterEmbedder embedder_;
};

TEST_F(Folder, OnlyWhatChangedIsEmbeddedAgain) {
  write("a.md", "# A\n\naaa");
  write("sub/b.txt", "bbb");
  write("c.html", "<p>ccc</p>");
  write("picture.png", "\xFF\xFE");
  write(".git/x.md", "hidden");
  FolderReport report = index_folder(index_, root_, &embedder_, {});
  EXPECT_EQ(report.files, 3U);
  EXPECT_EQ(report.fresh, 3U);
  EXPECT_EQ(report.chunks, 3U);
  EXPECT_EQ(embedder_.n_embedded, 3U);

  report = index_folder(index_, root_, &embedder_, {});
  EXPECT_EQ(report.unchanged, 3U);
  EXPECT_EQ(embedder_.n_embedded, 3U);

  write("a.md", "# A\n\naab\n\n# B\n\nmore");
  fs::remove(root_ / "c.html");
  report = index_folder(index_, root_, &embedder_, {});
  EXPECT_EQ(report.changed, 1U);
  EXPECT_EQ(report.gone, 1U);
  EXPECT_EQ(report.chunks, 3U);
  EXPECT_EQ(embedder_.n_embedded, 5U);
  const Index index(index_);
  const auto best = index.nearest(embedder_.embed_query("bbb").vector, 1).front();
  EXPECT_EQ(index.record(best.front().number).fact("source"), "sub/b.txt");
  EXPECT_TRUE(index.best_words("ccc", 5).empty());
}

TEST_F(Folder, CountsTheFilesThatAreNoDocuments) {
  for (const char* name : {"a.md", "b.pdf", "c/d.pdf", "Makefile", ".hidden"}) write(name, "text");
  const FolderReport report = index_folder(index_, root_, nullptr, {});
  EXPECT_EQ(report.files, 1U);
  EXPECT_THAT(report.others, ElementsAre(std::pair("", 1U), std::pair(".pdf", 2U)));
}

TEST_F(Folder, IsAddedToWhatTheIndexHas) {
  write("a.md", "first text");
  write("b.md", "second text");
  index_folder(index_, root_, nullptr, {});
  const fs::path other = dir_ / "other";
  fs::create_directories(other);
  std::ofstream(other / "c.md") << "third text";
  std::ofstream(other / "a.md") << "first text, changed";
  const FolderReport added = index_folder(index_, other, nullptr, {.keep_others = true});
  EXPECT_EQ(added.gone, 0U);
  EXPECT_EQ(added.fresh, 1U);
  EXPECT_EQ(added.changed, 1U);
  EXPECT_EQ(Index(index_).size(), 3U);
  EXPECT_EQ(index_folder(index_, other, nullptr, {}).gone, 1U);
}

TEST_F(Folder, IsRefusedByAnotherEmbedder) {
  write("a.md", "a");
  index_folder(index_, root_, &embedder_, {});
  embedder_.name = "other";
  EXPECT_THROW(index_folder(index_, root_, &embedder_, {}), Error);
  EXPECT_THROW(index_folder(index_, root_, nullptr, {}), Error);
}

TEST_F(Folder, WhatIsNotTextIsRefusedAndLeavesTheIndexAsItWas) {
  write("a.md", "good text");
  index_folder(index_, root_, nullptr, {});
  write("b.md", "bad \xC3( text");
  try {
    index_folder(index_, root_, nullptr, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("b.md"), HasSubstr("offset 4")));
  }
  EXPECT_EQ(Index(index_).size(), 1U);
  const FolderReport report = index_folder(index_, root_, nullptr, {.skip_bad = true});
  EXPECT_EQ(report.bad.size(), 1U);
}

// One line of 8 MB, words and then no space at all: pieces that fit, none lost, and soon.
TEST_F(Folder, ALineWithoutAnEnd) {
  std::string line;
  for (int i = 0; line.size() < (std::size_t{4} << 20); ++i)
    line += "word" + std::to_string(i) + " ";
  line += std::string(std::size_t{4} << 20, 'x');
  write("long.txt", line);
  const FolderReport report = index_folder(index_, root_, nullptr, {});
  EXPECT_GT(report.chunks, 1000U);
  const Index index(index_);
  for (std::uint64_t i = 0; i < index.n_numbers(); ++i) {
    ASSERT_LE(index.record(i).text.size(), 10'000U);
  }
  for (const char* word : {"word0", "word1000", "word300000"}) {
    EXPECT_FALSE(index.best_words(word, 1).empty()) << word;
  }
}

/// Runs `work` in a process of a user without rights over the system; its exit status.
int as_nobody(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool is_root = geteuid() == 0;
    if (is_root && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) _exit(99);
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Folder, WithoutPermissionIsAnErrorThatNamesIt) {
  write("a.md", "good text");
  write("closed/b.md", "more text");
  for (const fs::path& path : {dir_.path(), root_}) fs::permissions(path, fs::perms::all);
  const auto outcome = [&](const std::string& named) {
    return as_nobody([&] {
      try {
        index_folder(index_, root_, nullptr, {});
        return 0;
      } catch (const Error& error) {
        const std::string what = error.what();
        return what.find(named) != std::string::npos ? 7 : 8;
      }
    });
  };
  fs::permissions(root_ / "closed", fs::perms::none);
  EXPECT_EQ(outcome("docs"), 7);
  EXPECT_FALSE(fs::exists(index_));
  fs::permissions(root_ / "closed", fs::perms::all);
  fs::permissions(root_ / "closed/b.md", fs::perms::none);
  EXPECT_EQ(outcome("b.md: cannot be opened; expected a file that can be read, or --skip-bad to "
                    "leave it out, got Permission denied"),
            7);
  EXPECT_FALSE(fs::exists(index_));
}

TEST_F(Folder, WhatIsOutOfReachStaysInTheIndexWhenItIsLeftOut) {
  write("a.md", "good text");
  write("closed/b.md", "more text");
  index_folder(index_, root_, nullptr, {});
  for (const fs::path& path : {dir_.path(), root_, index_}) {
    fs::permissions(path, fs::perms::all);
  }
  fs::permissions(root_ / "closed", fs::perms::none);
  EXPECT_EQ(as_nobody([&] {
              const FolderReport report = index_folder(index_, root_, nullptr, {.skip_bad = true});
              return report.gone == 0 && report.bad.size() == 1 ? 7 : 8;
            }),
            7);
  fs::permissions(root_ / "closed", fs::perms::all);
  EXPECT_FALSE(Index(index_).best_words("more", 1).empty());
}

TEST_F(Folder, LinksToDocumentsAreDocumentsAndThoseToFoldersAreNamed) {
  write("a.md", "good text of some length");
  fs::create_directories(root_ / "sub");
  fs::create_symlink("../a.md", root_ / "sub/same.md");
  fs::create_directory_symlink("..", root_ / "sub/loop");
  FolderReport report = index_folder(index_, root_, nullptr, {});
  EXPECT_EQ(report.files, 2U);
  EXPECT_EQ(report.chunks, 2U);
  EXPECT_THAT(report.links, ElementsAre("sub/loop"));
  ASSERT_EQ(report.near_duplicates.size(), 1U);
  EXPECT_EQ(report.near_duplicates[0].second, "sub/same.md#1");
  fs::create_symlink("nowhere", root_ / "lost.md");
  EXPECT_THROW(index_folder(index_, root_, nullptr, {}), Error);
  report = index_folder(index_, root_, nullptr, {.skip_bad = true});
  ASSERT_EQ(report.bad.size(), 1U);
  EXPECT_THAT(report.bad[0], HasSubstr("lost.md"));
}

// One document of some thousand chunks: there is progress in it, and it can be stopped there.
TEST_F(Folder, ShowsHowFarItIsInsideADocument) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "# " + std::to_string(i) + "\n\ntext\n\n";
  write("large.md", text);
  std::vector<std::uint64_t> seen;
  const auto watch = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(total, text.size());
    if (seen.empty() || seen.back() != done) seen.push_back(done);
    return true;
  };
  index_folder(index_, root_, &embedder_, {}, watch);
  EXPECT_GE(seen.size(), 8U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), text.size());
  fs::remove(index_);
  const auto stop = [&](std::uint64_t done, std::uint64_t) { return done == 0; };
  EXPECT_THROW(index_folder(index_, root_, &embedder_, {}, stop), Cancelled);
  EXPECT_FALSE(fs::exists(index_));
}

/// Documents of 300 chunks: more than are embedded together.
std::string long_document(const std::string& word) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "# " + std::to_string(i) + "\n\n" + word + "\n\n";
  return text;
}

/// Stops when so many bytes of documents are done.
ProgressFn stop_at(std::uint64_t bytes) {
  return [bytes](std::uint64_t done, std::uint64_t) { return done < bytes; };
}

TEST_F(Folder, ANewIndexThatWasStoppedGoesOnWhereItWas) {
  for (const char* name : {"a", "b", "c"}) write(std::string(name) + ".md", long_document(name));
  const std::uint64_t each = long_document("a").size();
  EXPECT_THROW(index_folder(index_, root_, &embedder_, {}, stop_at(2 * each)), Cancelled);
  EXPECT_FALSE(fs::exists(index_));
  const std::size_t n_before = embedder_.n_embedded;
  FolderReport report = index_folder(index_, root_, &embedder_, {});
  EXPECT_EQ(report.unchanged, 1U);  // the end of b waited for vectors
  EXPECT_EQ(report.fresh, 2U);
  EXPECT_EQ(embedder_.n_embedded - n_before, 600U);
  EXPECT_EQ(Index(index_).size(), 900U);
  EXPECT_FALSE(fs::exists(index_.string() + ".new"));

  fs::remove(index_);
  EXPECT_THROW(index_folder(index_, root_, &embedder_, {}, stop_at(2 * each)), Cancelled);
  report = index_folder(index_, root_, nullptr, {});  // an index of another kind
  EXPECT_EQ(report.fresh, 3U);
  EXPECT_TRUE(Index(index_).settings().embedder.empty());
}

TEST_F(Folder, WhereItIsStoppedEachDocumentIsAsItWasOrAsItIs) {
  for (const char* name : {"a", "b"}) write(std::string(name) + ".md", long_document("old"));
  index_folder(index_, root_, &embedder_, {});
  for (const char* name : {"a", "b"}) write(std::string(name) + ".md", long_document("new"));
  const std::uint64_t each = long_document("new").size();
  EXPECT_THROW(index_folder(index_, root_, &embedder_, {}, stop_at(each + each / 2)), Cancelled);
  std::map<std::string, std::map<std::string, int>> found;  // by document: by word
  const Index index(index_);
  for (std::uint64_t number = 0; number < index.n_numbers(); ++number) {
    if (!index.is_live(number)) continue;
    const RecordView record = index.record(number);
    const bool is_new = record.text.find("new") != std::string_view::npos;
    ++found[std::string(record.fact("source"))][is_new ? "new" : "old"];
  }
  const std::map<std::string, std::map<std::string, int>> expected = {{"a.md", {{"new", 300}}},
                                                                      {"b.md", {{"old", 300}}}};
  EXPECT_EQ(found, expected);
}

TEST_F(Folder, WhatIsDoneOutlivesTheProcess) {
  for (const char* name : {"a", "b", "c"}) write(std::string(name) + ".md", long_document(name));
  const std::uint64_t each = long_document("a").size();
  const pid_t child = fork();
  if (child == 0) {
    index_folder(index_, root_, &embedder_, {.commit_every = std::chrono::seconds(0)},
                 [&](std::uint64_t done, std::uint64_t) {
                   if (done >= 2 * each) raise(SIGKILL);
                   return true;
                 });
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(index_));
  const FolderReport report = index_folder(index_, root_, &embedder_, {});
  EXPECT_EQ(report.unchanged, 1U);
  EXPECT_EQ(embedder_.n_embedded, 600U);
  EXPECT_EQ(Index(index_).size(), 900U);
}

TEST_F(Folder, ASecondWriterIsRefusedAndHarmsNothing) {
  write("a.md", "good text");
  index_folder(index_, root_, nullptr, {});
  const Index first(index_, Access::write);
  write("a.md", "other text");
  try {
    index_folder(index_, root_, nullptr, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("another process is writing"));
  }
  EXPECT_EQ(first.record(0).text, "good text");
  EXPECT_EQ(Index(index_).size(), 1U);
}

// So whatever stops the program, there is no index that looks whole and is empty.
TEST_F(Folder, ANewIndexIsNotSeenBeforeItIsWhole) {
  write("a.md", "good text");
  bool was_there = false;
  const ProgressFn look = [&](std::uint64_t, std::uint64_t) {
    was_there |= fs::exists(index_);
    return true;
  };
  index_folder(index_, root_, nullptr, {}, look);
  EXPECT_FALSE(was_there);
  EXPECT_EQ(Index(index_).size(), 1U);
  EXPECT_FALSE(fs::exists(index_.string() + ".new"));
  fs::remove(index_);
  const ProgressFn stop = [](std::uint64_t, std::uint64_t) { return false; };
  EXPECT_THROW(index_folder(index_, root_, nullptr, {}, stop), Cancelled);
  EXPECT_FALSE(fs::exists(index_) || fs::exists(index_.string() + ".new"));
}

TEST_F(Folder, IsUpToDateEvenIfTheIndexCannotBeWrittenAnew) {
  fs::create_directories(index_.string() + ".new");  // in the way
  const fs::path first = dir_ / "first.hearth";
  write("a.md", "text 0");
  index_folder(first, root_, nullptr, {});
  fs::rename(first, index_);
  std::string problem;
  for (int i = 1; i < 4 && problem.empty(); ++i) {
    write("a.md", "text " + std::to_string(i));
    problem = index_folder(index_, root_, nullptr, {}).not_compacted;
    const Index index(index_);
    ASSERT_EQ(index.size(), 1U);
    EXPECT_EQ(index.best_words(std::to_string(i), 1).size(), 1U);
  }
  EXPECT_THAT(problem, HasSubstr(".new"));
}

TEST_F(Folder, AfterDamageIsMadeGood) {
  write("a.md", "first text");
  index_folder(index_, root_, nullptr, {});
  const auto bytes = fs::file_size(index_);
  write("b.md", "second text");
  EXPECT_FALSE(index_folder(index_, root_, nullptr, {}).was_damaged);
  fs::resize_file(index_, bytes);
  EXPECT_TRUE(index_folder(index_, root_, nullptr, {}).was_damaged);
  EXPECT_EQ(Index(index_).size(), 2U);
  EXPECT_FALSE(index_folder(index_, root_, nullptr, {}).was_damaged);
}

TEST_F(Folder, ThatHasNothingIsAnError) {
  fs::create_directories(root_);
  EXPECT_THROW(index_folder(index_, root_, nullptr, {}), Error);
  EXPECT_THROW(index_folder(index_, dir_ / "nowhere", nullptr, {}), Error);
  EXPECT_FALSE(fs::exists(index_));
  write("empty.md", "");
  const FolderReport report = index_folder(index_, root_, nullptr, {});
  EXPECT_THAT(report.without_text, ElementsAre("empty.md"));
}

}  // namespace
}  // namespace hearth::retrieval
