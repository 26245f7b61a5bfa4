// Words, documents, chunks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/retrieval/chunker.h"
#include "engine/retrieval/near_duplicates.h"
#include "engine/retrieval/words.h"

namespace hearth::retrieval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Without the beginnings of words, which the tests of those look at.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words = terms_of(text);
  std::erase_if(words, [](const std::string& term) { return term.ends_with('~'); });
  return words;
}

TEST(Words, AreFoldedRunsOfLettersAndDigits) {
  EXPECT_THAT(words_of("Hello, WORLD! It's 42."), ElementsAre("hello", "world", "it", "s", "42"));
  EXPECT_THAT(words_of("Straße ﬁn Ａ１"), ElementsAre("strasse", "fin", "a1"));
  EXPECT_THAT(words_of("  \n"), IsEmpty());
  EXPECT_THAT(words_of("a\xFFz"), ElementsAre("a", "z"));
  EXPECT_THAT(words_of(std::string(200, 'x') + " y"),
              ElementsAre(std::string(128, 'x'), std::string(72, 'x'), "y"));
}

// Whether or not a character outside ASCII makes the whole text take the longer way.
TEST(Words, OfAsciiAreTheSameBesideOtherLetters) {
  std::string ascii;
  for (int c = 1; c < 128; ++c) ascii += static_cast<char>(c);
  const std::vector<std::string> expected = {"0123456789", "abcdefghijklmnopqrstuvwxyz",
                                             "abcdefghijklmnopqrstuvwxyz"};
  EXPECT_EQ(words_of(ascii), expected);
  std::vector<std::string> longer = words_of(ascii + " \u00e9");
  ASSERT_EQ(longer.size(), 4U);
  longer.pop_back();
  EXPECT_EQ(longer, expected);
}

TEST(Words, HaveTheirBeginningsBesideThem) {
  EXPECT_THAT(terms_of("Rides ride rid"), ElementsAre("ride~", "rides", "ride~", "ride", "rid"));
  EXPECT_THAT(terms_of("Größen книги"), ElementsAre("grös~", "grössen", "книг~", "книги"));
  EXPECT_THAT(terms_of("20241 1ride rid3s"), ElementsAre("20241", "1ride", "rid3s"));
}

TEST(Words, OfScriptsWithoutSpacesAreCharactersAndPairs) {
  EXPECT_THAT(terms_of("환불은 언제"),
              ElementsAre("환", "환불", "불", "불은", "은", "언", "언제", "제"));
  EXPECT_THAT(terms_of("退款 A"), ElementsAre("退", "退款", "款", "a"));
  EXPECT_THAT(terms_of("カ"), ElementsAre("カ"));
  EXPECT_THAT(terms_of("GPU가 빠"), ElementsAre("gpu", "가", "빠"));
  EXPECT_THAT(terms_of("รถไฟ"), testing::Contains("รถ"));
}

TEST(Words, AreCountedWithoutTheirParts) {
  EXPECT_EQ(count_words("Rides, ride 42!"), 3);
  EXPECT_EQ(count_words("환불은 언제 GPU가"), 7);
  EXPECT_EQ(count_words(std::string(200, 'x') + " y"), 3);
  EXPECT_EQ(count_words("é\xFFz"), 2);
  EXPECT_EQ(count_words(""), 0);
}

ChunkOptions by_words(int max_tokens, int overlap = 0) {
  ChunkOptions options;
  options.count_tokens = count_words;
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

/// "kind: text" of each block.
std::vector<std::string> blocks_of(const std::vector<Block>& blocks) {
  constexpr const char* kNames[] = {"heading", "text", "table", "code"};
  std::vector<std::string> all;
  for (const Block& block : blocks) {
    all.push_back(std::string(kNames[static_cast<int>(block.kind)]) + ": " + block.text);
  }
  return all;
}

// Examples of CommonMark's sections 4.1 to 4.5, with its headings and code.
TEST(Markdown, TellsHeadingsFromWhatLooksLikeThem) {
  EXPECT_THAT(blocks_of(parse_markdown("   ### three spaces\n\n    # four spaces\n")),
              ElementsAre("heading: three spaces", "text:     # four spaces"));
  EXPECT_THAT(blocks_of(parse_markdown("Two\nlines\n====\ntext\n\n---\n\n* * *\nmore\n")),
              ElementsAre("heading: Two lines", "text: text", "text: more"));
  EXPECT_THAT(blocks_of(parse_markdown("- one\n- two\n---\nmore\n")),
              ElementsAre("text: - one\n- two", "text: more"));
  EXPECT_THAT(blocks_of(parse_markdown("#nospace\n\n####### seven\n\n## closed ##\n")),
              ElementsAre("text: #nospace", "text: ####### seven", "heading: closed"));
}

TEST(Markdown, EndsCodeWithAFenceAsLongAsTheFirst) {
  EXPECT_THAT(blocks_of(parse_markdown("````\n```\n# in\n~~~\n````\n# out\n~~~\n```\n~~~ no end")),
              ElementsAre("code: ````\n```\n# in\n~~~\n````", "heading: out",
                          "code: ~~~\n```\n~~~ no end"));
}

TEST(Markdown, HasTablesWithAndWithoutBarsAround) {
  EXPECT_THAT(blocks_of(parse_markdown("before\na | b\n--|:-:\n1 | 2\n3 | 4\nafter\n")),
              ElementsAre("text: before", "table: a | b\n--|:-:\n1 | 2\n3 | 4", "text: after"));
  EXPECT_THAT(blocks_of(parse_markdown("this | that\nno table")),
              ElementsAre("text: this | that\nno table"));
}

TEST(Markdown, TakesTheTitleOfItsFrontMatter) {
  const auto options = by_words(50);
  const auto chunks = chunk(
      parse_markdown("---\ntags: [x]\ntitle: \"How to: pay\"\n---\n\nby card\n\n## Cash\n\nno\n"),
      options);
  EXPECT_THAT(texts(chunks), ElementsAre("How to: pay\n\nby card", "How to: pay > Cash\n\nno"));
  EXPECT_EQ(chunks[0].line, 6);
  EXPECT_THAT(
      texts(chunk(parse_markdown("+++\r\ntitle = 'Pay'\r\n+++\r\n# Paying\r\ntext"), options)),
      ElementsAre("Paying\n\ntext"));
  // Without an end it is a rule, and what follows a document.
  EXPECT_THAT(blocks_of(parse_markdown("---\ntitle: x\n\n# One\ntext\n")),
              ElementsAre("text: title: x", "heading: One", "text: text"));
}

// CommonMark's sections 4.6 and 6.2: what a reader of the page does not see is no text.
TEST(Markdown, HoldsHtml) {
  EXPECT_THAT(
      blocks_of(parse_markdown("# FAQ\n<details>\n<summary>Why <b>me</b>?</summary>\n\nSo *it* is."
                               "\n\n</details>\n\n<!-- not\n\nseen -->\nafter &copy; &amp;lt; R&D\n"
                               "<p align=center>\nshown</p>\n\n`<b>` <https://x.y>\n\n    <p>\n")),
      ElementsAre("heading: FAQ", "heading: Why me?", "text: So *it* is.",
                  "heading: ", "text: after © &lt; R&D", "text: shown", "text: `<b>` <https://x.y>",
                  "text:     <p>"));
  EXPECT_THAT(blocks_of(parse_markdown("<pre>\na &lt; b\n\n# c\n</pre>\n# d\n")),
              ElementsAre("code: a < b\n\n# c", "heading: d"));
  EXPECT_THAT(blocks_of(parse_markdown("```\n<!--\n&amp;\n```\n## A &amp; B\n")),
              ElementsAre("code: ```\n<!--\n&amp;\n```", "heading: A & B"));
}

TEST(Chunks, KnowAQuestionWhenTheySeeOne) {
  const auto questions = [](const std::string& text) {
    return texts(chunk(parse_markdown(text), by_words(60))).size();
  };
  for (const char* mark : {"Q: ", "q. ", "Q12) ", "**Q: ", "**Q3.** ", "> Q: ", "Question 4: ",
                           "질문: ", "질문 2. ", "**질문1:** ", "문: ", "問：", "问 1："}) {
    EXPECT_EQ(questions(std::string("Intro.\n\n") + mark + "One?\nA\n\n" + mark + "Two?\nB\n"), 3U)
        << mark;
  }
  EXPECT_EQ(questions("**Can I pay?**\n\nYes.\n\n**Is it dear?**\nNo.\n"), 2U);
  EXPECT_EQ(questions("**걸을 수 있나요？**\n\n네.\n\n__비싼가요?__\n아니요.\n"), 2U);
  EXPECT_EQ(questions("Q1 2024: sales\n\nQuite: so\n\n**Note:** why?\n\n**so** is **it?**\n"), 1U);
}

// Each part says what it is an answer to, or what its columns mean.
TEST(Chunks, OfALongAnswerOrTableHaveItsHead) {
  std::string text = "# FAQ\n\nQ: Why so long?\nA: Because.\n";
  for (int i = 0; i < 60; ++i) text += "Reason " + std::to_string(i) + " is good.\n";
  text += "\n# Table\n\n| item | price |\n|---|---|\n";
  for (int i = 0; i < 60; ++i) text += "| thing" + std::to_string(i) + " | 5 |\n";
  for (const int overlap : {0, 8}) {
    const auto options = by_words(40, overlap);
    std::size_t n_answers = 0, n_tables = 0;
    for (const Chunk& c : chunk(parse_markdown(text), options)) {
      ASSERT_LE(options.count_tokens(c.text), 40);
      const bool is_answer = c.heading == "FAQ";
      ++(is_answer ? n_answers : n_tables);
      const std::string head =
          is_answer ? "FAQ\n\nQ: Why so long?\n" : "Table\n\n| item | price |\n|---|---|\n";
      EXPECT_THAT(c.text, testing::StartsWith(head));
      EXPECT_EQ(c.text.find(head.substr(7), 7 + head.size()), std::string::npos) << "once";
      if (overlap > 0) continue;
      // The line of the document is that of what is new.
      const std::size_t begin = c.text.find(is_answer ? "Reason" : "thing");
      const int number = std::stoi(c.text.substr(begin + (is_answer ? 7 : 5)));
      if (number > 0) {
        EXPECT_EQ(c.line, number + (is_answer ? 5 : 70)) << c.text;
      }
    }
    EXPECT_GT(n_answers, 4U);
    EXPECT_GT(n_tables, 3U);
  }
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

// Wherever it stands in the section: between questions that have ends of their own, too.
TEST(Chunks, OfEveryQuestionHaveTheTableOfItsSection) {
  const auto chunks = chunk(
      parse_markdown("# FAQ\n\n| plan | price |\n|---|---|\n| pro | 9 |\n\n"
                     "<details><summary>One?</summary>\n\nA\n\n</details>\n\n"
                     "<details><summary>Two?</summary>\n\nB\n\n</details>\n\n"
                     "| plan | days |\n|---|---|\n| pro | 30 |\n\n# Else\n\n## Three?\n\nC\n"),
      by_words(60));
  ASSERT_EQ(chunks.size(), 5U);
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_THAT(chunks[i].text, testing::AllOf(HasSubstr("pro | 9"), HasSubstr("pro | 30")));
  }
  EXPECT_THAT(chunks[4].text, testing::AllOf(HasSubstr("Three?"), Not(HasSubstr("pro"))));
}

// What grows line by line must not be copied for each: a minute for 2 MB, once.
TEST(Chunks, OfManyLinesTakeTimeInProportion) {
  constexpr int kLines = 100000;
  const auto seconds = [](const std::string& line, const std::string& front) {
    std::string text = front;
    for (int i = 0; i < kLines; ++i) text += line;
    const auto begin = std::chrono::steady_clock::now();
    const auto chunks = chunk(parse_markdown(text), by_words(256, 32));
    EXPECT_GT(chunks.size(), 100U);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  constexpr double kMany = 20.0;  // of work that takes half of one
  EXPECT_LT(seconds("some words of a line\n", ""), kMany);
  EXPECT_LT(seconds("some words of a paragraph\n\n", "Q: Why?\nA: So.\n"), kMany);
  EXPECT_LT(seconds("## Why so?\n\nFor a reason.\n\n", "# FAQ\n\n"), kMany);
  EXPECT_LT(seconds("| a | b |\n|---|---|\n\n", "Q: Why?\n\n"), kMany);
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

TEST(Chunks, OfAWordWithoutEndAreWholeCharactersAndLoseNone) {
  ChunkOptions options;
  options.count_tokens = [](std::string_view text) { return static_cast<int>(text.size()); };
  options.max_tokens = 64;
  options.overlap_tokens = 0;
  std::string word, joined;
  for (int i = 0; i < 500; ++i) word += i % 3 == 0 ? "\uac00" : "x";
  for (const Chunk& c : chunk(parse_plain(word), options)) {
    EXPECT_LE(c.text.size(), 64U);
    EXPECT_EQ(utf8::first_malformed(c.text), c.text.size());
    joined += c.text;
  }
  EXPECT_EQ(joined, word);
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
  EXPECT_THAT(blocks_of(blocks), ElementsAre("heading: t", "heading: Title",
                                             "text: Fish & chips! a < b now", "table: | x | y |"));
}

// The title of the page, until its own heading takes the place.
TEST(Html, WithoutAHeadingHasItsTitle) {
  const auto options = by_words(50);
  EXPECT_THAT(texts(chunk(parse_html("<title>A &amp; B</title><p>text<svg><title>icon</title>"
                                     "</svg><aside>note</aside><h2>Two</h2>more"),
                          options)),
              ElementsAre("A & B\n\ntext\n\nnote", "A & B > Two\n\nmore"));
  EXPECT_THAT(texts(chunk(parse_html("<title>Site</title><h1>Page</h1>text"), options)),
              ElementsAre("Page\n\ntext"));
}

TEST(Html, KnowsItsCharactersByName) {
  const auto blocks = parse_html(
      "<p>Caf&eacute; &Uuml;ber &hellip; 5&nbsp;&euro; &rarr; &alpha;&#x3B2;"
      " &nosuch; &amp &yuml;</p>");
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].text, "Café Über … 5 € → αβ &nosuch; &amp ÿ");
}

TEST(Html, KeepsTheLinesOfCode) {
  EXPECT_THAT(
      blocks_of(parse_html("<p>a\n b</p><pre>\n<code>if x:\n    y &lt; z\n</code></pre> c")),
      ElementsAre("text: a b", "code: if x:\n    y < z", "text: c"));
}

// HTML lets the ends of rows and cells go unwritten.
TEST(Html, TablesNeedNoEndTagsAndCellsHoldNoBlocks) {
  EXPECT_THAT(
      blocks_of(parse_html("<table><tr><th>a<th>b<tr><td>1<p>one</p><td><pre>2</pre></table>x")),
      ElementsAre("table: | a | b |\n| 1 one | 2", "text: x"));
}

TEST(Html, ASectionEndsWithWhatHoldsIt) {
  const auto chunks =
      chunk(parse_html("<h1>FAQ</h1><details><summary>Why?</summary>Because.</details><p>After.</p>"
                       "<dl><dt>Term</dt><dd>Its sense</dd></dl>End."),
            by_words(50));
  EXPECT_THAT(texts(chunks), ElementsAre("FAQ > Why?\n\nBecause.", "FAQ\n\nAfter.",
                                         "FAQ > Term\n\nIts sense", "FAQ\n\nEnd."));
}

TEST(NearDuplicates, ArePairsOfNearlyTheSameWords) {
  std::string base;
  for (int i = 0; i < 60; ++i) base += "word" + std::to_string(i) + " ";
  const std::vector<std::string> all = {base, "something else entirely", base + "and an end",
                                        "something different altogether"};
  EXPECT_THAT(near_duplicates(all), ElementsAre(std::pair<std::size_t, std::size_t>(0, 2)));
}

}  // namespace
}  // namespace hearth::retrieval
