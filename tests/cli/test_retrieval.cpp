// hearth index, search, ask, chat --kb, eval and convert, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"
#include "tests/support/toy_embedder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ProgramResult;
using test::run_hearth;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RetrievalCommands : public testing::Test {
 protected:
  RetrievalCommands() {
    write("cats.md", "# Cats\n\nA cat sleeps sixteen hours a day.\n\n## Food\n\nCats eat fish.\n");
    write("dogs.md", "# Dogs\n\nA dog barks at the postman.\n");
  }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(dir_ / "docs");
    std::ofstream(dir_ / "docs" / name, std::ios::binary) << text;
  }

  ProgramResult index(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"index", (dir_ / "docs").string(), "-o", kb_};
    words.insert(words.end(), more.begin(), more.end());
    return run_hearth(words);
  }

  test::TempDir dir_;
  std::string kb_ = (dir_ / "kb.hearth").string();
  std::string embedder_ = (dir_ / "toy.gguf").string();
};

TEST_F(RetrievalCommands, AFolderIsSearchedByWords) {
  const ProgramResult made = index();
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr("2 documents: 2 new"), HasSubstr("3 chunks")));
  const ProgramResult found = run_hearth({"search", kb_, "how long does a cat sleep", "-k", "1"});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  EXPECT_THAT(found.out,
              AllOf(HasSubstr("cats.md:3  Cats"), HasSubstr("sixteen"), Not(HasSubstr("postman"))));
  const auto dogs =
      json::parse(run_hearth({"search", kb_, "a", "--json", "--where", "source=dogs.md"}).out);
  ASSERT_EQ(dogs["hits"].size(), 1U);
  EXPECT_EQ(dogs["hits"][0]["heading"], "Dogs");
  const auto below =
      json::parse(run_hearth({"search", kb_, "cats", "--json", "--where", "line>3"}).out);
  ASSERT_EQ(below["hits"].size(), 1U);
  EXPECT_EQ(below["hits"][0]["heading"], "Cats > Food");
  for (const char* bad : {"dogs", "=dogs.md", "source in ", "source in [1]", "source in [\"a"}) {
    EXPECT_THAT(run_hearth({"search", kb_, "a", "--where", bad}).err, HasSubstr("condition"))
        << bad;
  }

  write("comma, in.md", "A cat is in = here.");
  ASSERT_EQ(index().exit_code, 0);
  const auto n_in = [&](const std::string& condition) {
    return json::parse(run_hearth({"search", kb_, "a", "--json", "--where", condition}).out)["hits"]
        .size();
  };
  EXPECT_EQ(n_in("source in dogs.md, cats.md"), 2U);
  EXPECT_EQ(n_in("source in birds.md,dogs.md"), 1U);
  EXPECT_EQ(n_in(R"(source in ["comma, in.md", "dogs.md"])"), 2U);
  EXPECT_EQ(n_in("source=comma, in.md"), 1U);
  fs::remove(dir_ / "docs/comma, in.md");

  write("dogs.md", "# Dogs\n\nA dog digs.\n");
  EXPECT_THAT(index().out, AllOf(HasSubstr("1 changed"), HasSubstr("1 unchanged")));
  EXPECT_THAT(run_hearth({"search", kb_, "postman"}).err, HasSubstr("nothing was found"));
}

TEST_F(RetrievalCommands, AnIndexWithVectorsWantsItsEmbedder) {
  test::write_toy_embedder(embedder_);
  const ProgramResult made = index({"--embedder", embedder_, "--store", "int8"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("tokens unknown"));
  EXPECT_THAT(run_hearth({"search", kb_, "cat"}).err, HasSubstr("--embedder"));
  EXPECT_EQ(run_hearth({"search", kb_, "cat", "--words"}).exit_code, 0);
  for (const char* how : {"--vectors", "-k5"}) {
    const ProgramResult found = run_hearth({"search", kb_, "cat", "--embedder", embedder_, how});
    EXPECT_EQ(found.exit_code, 0) << found.err;
    EXPECT_THAT(found.out, HasSubstr("1. "));
  }
  test::write_toy_embedder(embedder_, {.seed = 2});
  const ProgramResult other = run_hearth({"search", kb_, "cat", "--embedder", embedder_});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, HasSubstr("another embedding model"));
}

TEST_F(RetrievalCommands, AnIndexWantsAVectorForEachText) {
  test::write_toy_embedder(embedder_);
  const ProgramResult refused = index({"--embedder", embedder_, "--pooling", "none"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("a vector for each token"), HasSubstr("--pooling mean")));
  EXPECT_FALSE(fs::exists(kb_));
}

TEST_F(RetrievalCommands, AQuestionThatIsCutIsSaidToBe) {
  test::write_toy_embedder(embedder_);
  ASSERT_EQ(index({"--embedder", embedder_}).exit_code, 0);
  const std::string question(200, 'a');
  const ProgramResult found = run_hearth({"search", kb_, question, "--embedder", embedder_});
  EXPECT_THAT(found.err, HasSubstr("the question has 202 tokens, of which the embedder looks at "
                                   "the first 64"));
  const auto short_one = run_hearth({"search", kb_, "cats", "--embedder", embedder_, "--json"});
  EXPECT_EQ(short_one.err, "");
  EXPECT_EQ(json::parse(short_one.out)["question_truncated"], false);
  const auto latin = run_hearth({"search", kb_, "caf\xE9", "--words"});
  EXPECT_EQ(latin.exit_code, 1);
  EXPECT_THAT(latin.err, HasSubstr("the question: is not UTF-8 text"));
}

// A text that is longer than what is shown of it: what was asked for is in sight, without the path
// of headings that stands above it.
TEST_F(RetrievalCommands, SearchShowsThePartThatWasLookedFor) {
  std::string text = "# Long\n\n";
  for (int i = 0; i < 60; ++i) text += i == 40 ? "The treasure is here. " : "Nothing to see. ";
  write("long.md", text);
  ASSERT_EQ(index().exit_code, 0);
  const std::string found = run_hearth({"search", kb_, "where is the treasure", "-k", "1"}).out;
  EXPECT_THAT(found, AllOf(HasSubstr("long.md:3  Long\n   …"),
                           HasSubstr("to see. The treasure is "
                                     "here. Nothing"),
                           HasSubstr("…\n"), Not(HasSubstr("Long N"))));
  std::string korean = "# 긴 글\n\n";
  for (int i = 0; i < 60; ++i) korean += i == 40 ? "보물은여기에있습니다" : "아무것도없습니다";
  write("long.md", korean);
  ASSERT_EQ(index().exit_code, 0);
  EXPECT_THAT(run_hearth({"search", kb_, "보물은 어디", "-k", "1"}).out, HasSubstr("보물은여기"));
}

TEST_F(RetrievalCommands, WhatFindsNothingSaysWhy) {
  ASSERT_EQ(index().exit_code, 0);
  const auto said = [this](std::vector<std::string> words) {
    words.insert(words.begin(), {"search", kb_});
    const ProgramResult result = run_hearth(words);
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  EXPECT_EQ(said({"zebra"}), "nothing was found\n");
  EXPECT_EQ(said({"?!"}), "nothing was found: the question has no words\n");
  EXPECT_EQ(said({"cat", "--where", "sorce=cats.md"}), "nothing was found where sorce=cats.md\n");
  for (const std::string threshold : {"1.5", "-1", "nan"}) {
    const ProgramResult refused = run_hearth({"ask", kb_, "cat", "--threshold=" + threshold});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("--threshold: is no confidence; expected a number from 0"));
  }
}

// A file's name may hold anything, and a text may move the cursor.
TEST_F(RetrievalCommands, WhatIsShownIsSafeToShow) {
  write("a\nb\xE9.md", "# One\x1b[2J\n\nunicorn \x1b[31mred\n");
  ASSERT_EQ(index().exit_code, 0);
  const std::string found = run_hearth({"search", kb_, "unicorn", "-k", "1"}).out;
  EXPECT_THAT(found,
              AllOf(HasSubstr("a\\nb\\xe9.md:3  One\\x1b[2J\n"), HasSubstr("unicorn \\x1b[31m")));
  const std::string answer = run_hearth({"ask", kb_, "unicorn", "-n", "2", "--temp", "0"}).out;
  EXPECT_THAT(answer, HasSubstr("[1] a\\nb\\xe9.md:3, One\\x1b[2J"));
}

TEST_F(RetrievalCommands, VectorsGoToFaissAndComeBackWithTheirTexts) {
  test::write_toy_embedder(embedder_);
  ASSERT_EQ(index({"--embedder", embedder_}).exit_code, 0);
  const auto path = [&](const char* name) { return (dir_ / name).string(); };
  const std::string flat = path("kb.faiss"), lines = path("kb.jsonl"), back = path("back.hearth");
  const ProgramResult out = run_hearth({"export", kb_, "-o", flat, "--records", lines});
  ASSERT_EQ(out.exit_code, 0) << out.err;
  EXPECT_THAT(out.out, HasSubstr("3 vectors"));
  const ProgramResult in = run_hearth(
      {"import", flat, "-o", back, "--records", lines, "--embedder", embedder_, "--store", "int8"});
  ASSERT_EQ(in.exit_code, 0) << in.err;
  EXPECT_THAT(in.out, HasSubstr("3 vectors"));
  const auto hits = [&](const std::string& kb) {
    auto found = json::parse(
        run_hearth({"search", kb, "cat food", "--json", "--embedder", embedder_}).out)["hits"];
    for (auto& hit : found) {
      hit.erase("key");
      hit["facts"].erase("key");  // an import makes it a fact
    }
    return found;
  };
  EXPECT_EQ(hits(kb_).size(), 3U);
  EXPECT_EQ(hits(back), hits(kb_));
  EXPECT_EQ(hits(kb_)[0]["facts"]["heading"], "Cats > Food");

  EXPECT_THAT(run_hearth({"import", flat, "-o", back}).err, HasSubstr("exists already"));
  fs::remove(back);
  std::ofstream(lines, std::ios::app) << "{}\n";
  const auto refused = [&](const std::string& file) {
    const ProgramResult result = run_hearth({"import", file, "-o", back, "--records", lines});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_FALSE(fs::exists(back));
    return result.err;
  };
  EXPECT_THAT(refused(flat), AllOf(HasSubstr("kb.jsonl:4"), HasSubstr("more lines")));
  std::ofstream(lines) << "{\"text\": \"one\"}\n";
  EXPECT_THAT(refused(flat), HasSubstr("fewer lines"));
  std::ofstream(lines) << "{\"text\": 1}\n";
  EXPECT_THAT(refused(flat), AllOf(HasSubstr("kb.jsonl:1"), HasSubstr("text is no text")));
  EXPECT_THAT(refused(kb_), HasSubstr("not a flat index of FAISS"));
}

// Without a model nothing is known of the vectors, and texts are found by their words.
TEST_F(RetrievalCommands, ImportedVectorsOfAnUnknownModelWantOne) {
  test::write_toy_embedder(embedder_);
  ASSERT_EQ(index({"--embedder", embedder_}).exit_code, 0);
  const std::string flat = (dir_ / "kb.faiss").string(), lines = (dir_ / "kb.jsonl").string();
  ASSERT_EQ(run_hearth({"export", kb_, "-o", flat, "--records", lines}).exit_code, 0);
  fs::remove(kb_);
  ASSERT_EQ(run_hearth({"import", flat, "-o", kb_, "--records", lines}).exit_code, 0);
  EXPECT_THAT(run_hearth({"search", kb_, "postman"}).err, HasSubstr("came from kb.faiss"));
  EXPECT_THAT(run_hearth({"search", kb_, "postman", "--words"}).out, HasSubstr("dogs.md:3  Dogs"));
  EXPECT_EQ(run_hearth({"search", kb_, "postman", "--embedder", embedder_}).exit_code, 1);
  std::ofstream(dir_ / "words.md") << "only words";
  const std::string words = (dir_ / "words.hearth").string();
  ASSERT_EQ(run_hearth({"index", (dir_ / "words.md").string(), "-o", words}).exit_code, 0);
  EXPECT_THAT(run_hearth({"export", words, "-o", flat}).err, HasSubstr("has no vectors"));
}

TEST_F(RetrievalCommands, AskAnswersWithSources) {
  ASSERT_EQ(index().exit_code, 0);
  const ProgramResult answer =
      run_hearth({"ask", kb_, "What do cats eat?", "--temp", "0", "-n", "20", "-c", "1024"});
  ASSERT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("Sources:"), HasSubstr("[1] cats.md:7, Cats > Food")));
  const ProgramResult unknown = run_hearth({"ask", kb_, "Who invented quantum chromodynamics?"});
  EXPECT_EQ(unknown.exit_code, 0) << unknown.err;
  EXPECT_EQ(unknown.out, "This is not in the documents.\n");
  const auto said = json::parse(run_hearth({"ask", kb_, "zebra", "--json"}).out);
  EXPECT_EQ(said["in_documents"], false);
}

TEST_F(RetrievalCommands, ATemplateOfTheUsersIsTaken) {
  ASSERT_EQ(index().exit_code, 0);
  const std::string path = (dir_ / "t.jinja").string();
  std::ofstream(path) << "{{ question }}";
  const ProgramResult refused = run_hearth({"ask", kb_, "cats eat", "--rag-template", path});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("sources"));
  std::ofstream(path) << "{% for s in sources %}{{ s.text }}{% endfor %} {{ question }}";
  EXPECT_EQ(run_hearth({"ask", kb_, "cats eat", "--rag-template", path, "-n", "4"}).exit_code, 0);
}

TEST_F(RetrievalCommands, AConversationSaysWhatItSearchedFor) {
  ASSERT_EQ(index().exit_code, 0);
  const ProgramResult chat =
      run_hearth({"chat", "--kb", kb_, "-n", "12", "--temp", "0", "-c", "2048"},
                 "What do cats eat?\n/why\nxylophone quark\n");
  EXPECT_EQ(chat.exit_code, 0) << chat.err;
  EXPECT_THAT(chat.out, HasSubstr("[1] cats.md:7, Cats > Food"));
  EXPECT_THAT(chat.err,
              AllOf(HasSubstr("searched for: What do cats eat?"), HasSubstr("confidence")));
}

TEST_F(RetrievalCommands, EvalMeasures) {
  ASSERT_EQ(index().exit_code, 0);
  const std::string path = (dir_ / "q.jsonl").string();
  std::ofstream(path) << R"({"question": "what do cats eat", "heading": "Food"})"
                         "\n\n"
                      << R"({"question": "barks postman", "source": "dogs.md"})"
                         "\n"
                      << R"({"question": "cat sleeps", "contains": "no such words"})"
                         "\n";
  const auto figures = json::parse(run_hearth({"eval", kb_, path, "--json"}).out);
  EXPECT_EQ(figures["questions"], 3);
  EXPECT_NEAR(figures["hit_at_k"].get<double>(), 2.0 / 3, 1e-9);
  EXPECT_NEAR(figures["mrr"].get<double>(), 2.0 / 3, 1e-9);
  EXPECT_THAT(run_hearth({"eval", kb_, path, "--misses"}).out, HasSubstr("missed: cat sleeps"));
  std::ofstream(path) << R"({"question": "x"})";
  const ProgramResult bad = run_hearth({"eval", kb_, path});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("q.jsonl:1"));
}

/// Questions and answers of a service, asked in other words; and questions of other subjects.
class Faq : public RetrievalCommands {
 protected:
  std::string index_of(const std::string& language) const {
    const std::string kb = (dir_ / language).string();
    const ProgramResult made = run_hearth({"index", path("faq_" + language + ".md"), "-o", kb});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return kb;
  }

  static std::string path(const std::string& name) {
    return (fs::path(HEARTH_SOURCE_DIR) / "tests/retrieval/data" / name).string();
  }

  /// The share of the questions with which the documents have something to do.
  static double share_in_documents(const std::string& kb, const std::vector<std::string>& all) {
    double n = 0;
    for (const std::string& question : all) {
      const auto found = json::parse(run_hearth({"search", kb, question, "--json"}).out);
      n += found["confidence"] >= kUsualThreshold;
    }
    return n / static_cast<double>(all.size());
  }

  static constexpr double kUsualThreshold = 0.35;  // what --help says
};

TEST_F(Faq, IsFoundByWordsAlone) {
  struct Language {
    std::string name;
    int questions;
    double least_at_1;
  };
  for (const Language& language :
       {Language{"en", 61, 0.9}, {"ko", 61, 0.9}, {"ja", 20, 0.7}, {"zh", 20, 0.9}}) {
    SCOPED_TRACE(language.name);
    const std::string questions = path("faq_" + language.name + ".jsonl");
    const auto figures =
        json::parse(run_hearth({"eval", index_of(language.name), questions, "--json"}).out);
    EXPECT_EQ(figures["questions"], language.questions);
    EXPECT_GE(figures["hit_at_1"].get<double>(), language.least_at_1);
    EXPECT_GE(figures["hit_at_k"].get<double>(), 0.95);
  }
}

TEST_F(Faq, KnowsWhatIsNotInIt) {
  EXPECT_THAT(run_hearth({"ask", "--help"}).out, HasSubstr("0.35"));
  for (const std::string language : {"en", "ko"}) {
    SCOPED_TRACE(language);
    const std::string kb = index_of(language);
    std::vector<std::string> own, others;
    std::ifstream lines(path("faq_" + language + ".jsonl"));
    for (std::string line; std::getline(lines, line);) own.push_back(json::parse(line)["question"]);
    std::ifstream questions(path("others_" + language + ".txt"));
    for (std::string line; std::getline(questions, line);) others.push_back(line);
    ASSERT_EQ(others.size(), 30U);
    EXPECT_GE(share_in_documents(kb, own), 0.95);
    EXPECT_LE(share_in_documents(kb, others), 0.2);
  }
}

// Of an index that was made in one go, nothing is left when its end is cut off; of one that was
// brought up to date, what was there before.
TEST_F(RetrievalCommands, ACutOffIndexIsAnErrorOrTheStateBefore) {
  ASSERT_EQ(index().exit_code, 0);
  const auto whole = fs::file_size(kb_);
  write("birds.md", "# Birds\n\nA bird sings.\n");
  ASSERT_EQ(index().exit_code, 0);
  ASSERT_GT(fs::file_size(kb_), whole);
  fs::resize_file(kb_, fs::file_size(kb_) - 1);
  const ProgramResult before = run_hearth({"search", kb_, "cat sleep"});
  EXPECT_EQ(before.exit_code, 0);
  EXPECT_THAT(before.err, HasSubstr("state before"));
  EXPECT_THAT(before.out, HasSubstr("sixteen"));
  fs::resize_file(kb_, whole - 1);
  const ProgramResult cut = run_hearth({"search", kb_, "cat sleep"});
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_THAT(cut.err, HasSubstr("damaged"));
}

TEST_F(RetrievalCommands, RefuseWhatIsNoIndex) {
  const std::string path = (dir_ / "docs/cats.md").string();
  const ProgramResult result = run_hearth({"search", path, "x"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("not a Hearth index"));
  EXPECT_EQ(run_hearth({"index", (dir_ / "nowhere").string(), "-o", kb_}).exit_code, 1);
  EXPECT_EQ(run_hearth({"convert", (dir_ / "docs").string(), kb_}).exit_code, 1);
  EXPECT_FALSE(fs::exists(kb_));
}

}  // namespace
}  // namespace hearth
