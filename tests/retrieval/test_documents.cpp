// Words, documents, chunks, folders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/retrieval/chunker.h"
#include "engine/retrieval/folder.h"
#include "engine/retrieval/near_duplicates.h"
#include "engine/retrieval/words.h"
#include "tests/support/temp_dir.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Words, AreFoldedRunsOfLettersAndDigits) {
  EXPECT_THAT(terms_of("Hello, WORLD! It's 42."), ElementsAre("hello", "world", "it", "s", "42"));
  EXPECT_THAT(terms_of("Straße ﬁn Ａ１"), ElementsAre("strasse", "fin", "a1"));
  EXPECT_THAT(terms_of("  \n"), IsEmpty());
  EXPECT_THAT(terms_of("a\xFFz"), ElementsAre("a", "z"));
}

// Whether or not a character outside ASCII makes the whole text take the longer way.
TEST(Words, OfAsciiAreTheSameBesideOtherLetters) {
  std::string ascii;
  for (int c = 1; c < 128; ++c) ascii += static_cast<char>(c);
  const std::vector<std::string> expected = {"0123456789", "abcdefghijklmnopqrstuvwxyz",
                                             "abcdefghijklmnopqrstuvwxyz"};
  EXPECT_EQ(terms_of(ascii), expected);
  std::vector<std::string> longer = terms_of(ascii + " \u00e9");
  ASSERT_EQ(longer.size(), 4U);
  longer.pop_back();
  EXPECT_EQ(longer, expected);
}

TEST(Words, OfScriptsWithoutSpacesArePairs) {
  EXPECT_THAT(terms_of("환불은 언제"), ElementsAre("환불", "불은", "언제"));
  EXPECT_THAT(terms_of("退款政策 A"), ElementsAre("退款", "款政", "政策", "a"));
  EXPECT_THAT(terms_of("カ"), ElementsAre("カ"));
  EXPECT_THAT(terms_of("GPU가 빠른"), ElementsAre("gpu", "가", "빠른"));
}

ChunkOptions by_words(int max_tokens, int overlap = 0) {
  ChunkOptions options;
  options.count_tokens = [](std::string_view text) {
    return static_cast<int>(terms_of(text).size());
  };
  options.max_tokens = max_tokens;
  options.overlap_tokens = overlap;
  return options;
}

std::vector<std::string> texts(const std::vector<Chunk>& chunks) {
  std::vector<std::string> all;
  for (const Chunk& c : chunks) all.push_back(c.text);
  return all;
}

TEST(Chunks, FollowHeadings) {
  const auto chunks = chunk(parse_markdown("intro\n\n# One\n\nfirst\n\n## Sub\nsecond\n\nTwo\n===\n"
                                           "third\n```\n# no heading\n```\n"),
                            by_words(50));
  EXPECT_THAT(texts(chunks), ElementsAre("intro", "One\n\nfirst", "One > Sub\n\nsecond",
                                         "Two\n\nthird\n\n```\n# no heading\n```"));
  EXPECT_EQ(chunks[2].heading, "One > Sub");
  EXPECT_EQ(chunks[2].line, 8);
}

TEST(Chunks, KeepAQuestionWithItsAnswerAndTheSectionsTable) {
  const auto chunks =
      chunk(parse_markdown("# Shipping\n\n| to | days |\n|---|---|\n| Mars | 300 |\n\n"
                           "Q: How long?\nA: See the table.\n\nMore of it.\n\n"
                           "**Q2.** And back?\nA: Never.\n"),
            by_words(60));
  ASSERT_EQ(chunks.size(), 3U);
  EXPECT_THAT(chunks[1].text, testing::AllOf(HasSubstr("How long?"), HasSubstr("More of it."),
                                             HasSubstr("Mars"), Not(HasSubstr("back"))));
  EXPECT_THAT(chunks[2].text, testing::AllOf(HasSubstr("And back?"), HasSubstr("Never."),
                                             HasSubstr("Mars"), HasSubstr("Shipping")));
}

TEST(Chunks, OfAHeadingThatAsksHaveTheTableAbove) {
  const auto chunks = chunk(parse_markdown("# FAQ\n\n| plan | price |\n|---|---|\n| pro | 9 "
                                           "|\n\n## 요금은 얼마인가요?\n\n표를 보세요.\n"),
                            by_words(60));
  EXPECT_THAT(chunks.back().text,
              testing::AllOf(HasSubstr("얼마인가요?"), HasSubstr("표를"), HasSubstr("pro")));
}

TEST(Chunks, AlwaysFit) {
  std::string text = "# A heading of some words\n\n";
  for (int i = 0; i < 300; ++i) text += "Sentence number " + std::to_string(i) + " is here. ";
  text += "\n\n" + std::string(5000, 'x') + "\n";
  for (const int most : {8, 20, 50}) {
    const auto options = by_words(most, 6);
    std::size_t n = 0;
    for (const Chunk& c : chunk(parse_markdown(text), options)) {
      ASSERT_LE(options.count_tokens(c.text), most) << c.text;
      ++n;
    }
    EXPECT_GT(n, 20U);
  }
}

// A measure that takes them for one word each: they are cut all the same, at characters, and
// nothing is lost.
TEST(Chunks, OfAWordWithoutEndHaveSoManyBytesAtMost) {
  for (const std::string letter : {"x", "é", "가", "😀"}) {
    std::string word;
    for (int i = 0; i < 7001; ++i) word += letter;
    ChunkOptions options;
    options.count_tokens = [](std::string_view) { return 1; };
    options.max_tokens = 20;
    options.overlap_tokens = 0;
    const auto chunks = chunk(parse_plain(word), options);
    std::string all;
    for (const Chunk& c : chunks) {
      EXPECT_LE(c.text.size(), 32U * 21);
      EXPECT_TRUE(utf8::is_valid(c.text));
      all += c.text;
    }
    EXPECT_EQ(all, word);
    EXPECT_LE(chunks.size(), word.size() / 400);
  }
}

TEST(Chunks, OverlapBySentences) {
  const auto chunks =
      chunk(parse_plain("one two three. four five six. seven eight nine. ten."), by_words(8, 3));
  ASSERT_GE(chunks.size(), 2U);
  EXPECT_THAT(chunks[1].text, testing::StartsWith(" four five six."));
}

TEST(Html, IsReadAsAPersonSeesIt) {
  const auto blocks = parse_html(
      "<html><head><title>t</title><style>p{}</style></head><body><h1>Ti<b>t</b>le</h1>"
      "<p>Fish &amp; chips&#33; a &lt; b\n <i>now</i></p><script>if (a<b) {}</script>"
      "<table><tr><th>x</th><td>y</td></tr></table><!-- no --></body></html>");
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].kind, Block::Kind::heading);
  EXPECT_EQ(blocks[0].text, "Title");
  EXPECT_EQ(blocks[1].text, "Fish & chips! a < b now");
  EXPECT_EQ(blocks[2].kind, Block::Kind::table);
  EXPECT_EQ(blocks[2].text, "| x| y |");
}

TEST(NearDuplicates, ArePairsOfNearlyTheSameWords) {
  std::string base;
  for (int i = 0; i < 60; ++i) base += "word" + std::to_string(i) + " ";
  const std::vector<std::string> all = {base, "something else entirely", base + "and an end",
                                        "something different altogether"};
  EXPECT_THAT(near_duplicates(all), ElementsAre(std::pair<std::size_t, std::size_t>(0, 2)));
}

/// Vectors of how often each letter a, b, c stands in a text.
class LetterEmbedder final : public TextEmbedder {
 public:
  std::string fingerprint() const override { return name; }
  std::uint32_t dimension() const override { return 3; }
  int max_tokens() const override { return 100; }
  int count_tokens(std::string_view text) const override {
    return static_cast<int>(terms_of(text).size());
  }
  std::vector<EmbeddedText> embed_documents(std::span<const std::string> all,
                                            const ProgressFn&) override {
    std::vector<EmbeddedText> out;
    for (const std::string& text : all) out.push_back({.vector = embed_query(text), .n_tokens = 1});
    n_embedded += all.size();
    return out;
  }
  std::vector<float> embed_query(const std::string& text) override {
    std::vector<float> v(3, 0.1F);
    for (const char c : text) {
      if (c >= 'a' && c <= 'c') v[static_cast<std::size_t>(c - 'a')] += 1;
    }
    return v;
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
  const auto best = index.nearest(embedder_.embed_query("bbb"), 1).front();
  EXPECT_EQ(index.record(best.front().number).fact("source"), "sub/b.txt");
  EXPECT_TRUE(index.best_words("ccc", 5).empty());
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
  EXPECT_EQ(outcome("b.md"), 7);
  EXPECT_FALSE(fs::exists(index_));
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
