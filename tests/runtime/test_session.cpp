#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "base/random.h"
#include "engine/runtime/session.h"
#include "tests/support/fake_model.h"

namespace hearth {
namespace {

using test::FakeEvaluator;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// "[system]Be kind.\n[user]Hi\n[assistant]" and so on.
std::string render(std::span<const PromptMessage> messages) {
  std::string text;
  for (const PromptMessage& m : messages) text += "[" + m.role + "]" + m.content + "\n";
  return text + "[assistant]";
}

std::string last_question(const std::string& prompt) {
  const std::size_t at = prompt.rfind("[user]") + 6;
  return prompt.substr(at, prompt.find('\n', at) - at);
}

// Answers "re: <question>".
struct FakeChat {
  explicit FakeChat(int n_ctx = 1000, SessionOptions options = {}, PromptRenderer renderer = render)
      : tokenizer(test::byte_tokenizer()),
        model(n_ctx,
              test::scripted(*tokenizer, "[assistant]",
                             [](const std::string& p) { return "re: " + last_question(p); })),
        session(model, *tokenizer, std::move(renderer),
                Sampler({.temperature = 0}, 1, test::kFakeVocab), std::move(options)) {}

  std::string prompt() const { return tokenizer->decode(model.context()); }

  std::unique_ptr<Tokenizer> tokenizer;
  FakeEvaluator model;
  Session session;
};

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Session, KeepsTheHistory) {
  FakeChat setup;
  setup.session.set_system("Be kind.");
  EXPECT_EQ(setup.session.ask("one").generation.text, "re: one");
  EXPECT_EQ(setup.session.ask("two").generation.text, "re: two");
  EXPECT_EQ(setup.prompt(),
            "[system]Be kind.\n[user]one\n[assistant]re: one\n[user]two\n[assistant]re: two");
  EXPECT_EQ(setup.session.conversation().turns.size(), 2u);
  EXPECT_EQ(setup.session.totals().answers, 2);
}

TEST(Session, ComputesOnlyTheNewTurn) {
  FakeChat setup;
  setup.session.ask("one");
  const int before = setup.model.evaluated;
  const Reply reply = setup.session.ask("two");
  // "\n[user]two\n[assistant]" is 22 bytes, the answer 7
  EXPECT_EQ(setup.model.evaluated - before, 22 + 7);
  EXPECT_EQ(reply.generation.stats.prompt_tokens - reply.generation.stats.reused_tokens, 22);
}

TEST(Session, ReuseGivesTheAnswersOfAFreshStart) {
  FakeChat kept;
  Random random(11);
  for (int round = 0; round < 12; ++round) {
    const std::string question(1 + random.bits32() % 20, static_cast<char>('a' + round));
    kept.session.ask(question);
    if (round % 5 == 4) kept.session.clear();
    if (round % 3 == 2 && round % 5 != 4) kept.session.regenerate();
    FakeChat fresh;
    fresh.session.replace(kept.session.conversation());
    fresh.session.ask("next");
    kept.session.ask("next");
    ASSERT_EQ(kept.model.context(), fresh.model.context());
  }
}

TEST(Session, RegenerateReplacesTheLastAnswer) {
  FakeChat setup;
  EXPECT_THAT(error_of([&] { setup.session.regenerate(); }), HasSubstr("nothing has been asked"));
  setup.session.ask("one");
  setup.session.ask("two");
  EXPECT_EQ(setup.session.regenerate().generation.text, "re: two");
  ASSERT_EQ(setup.session.conversation().turns.size(), 2u);
  EXPECT_EQ(setup.session.conversation().turns[1].user, "two");
}

GenerateHooks stop_after(int& pieces, int limit) {
  return {.on_text = [&pieces](std::string_view) { ++pieces; },
          .on_prefill = {},
          .cancelled = [&pieces, limit] { return pieces >= limit; }};
}

TEST(Session, ACancelledAnswerIsKeptAndMarked) {
  FakeChat setup;
  int pieces = 0;
  const Reply reply = setup.session.ask("one", stop_after(pieces, 3));
  EXPECT_TRUE(reply.kept);
  ASSERT_EQ(setup.session.conversation().turns.size(), 1u);
  EXPECT_EQ(setup.session.conversation().turns[0].answer, "re:");
  EXPECT_EQ(setup.session.conversation().turns[0].finish, "cancelled");
  EXPECT_EQ(setup.session.ask("two").generation.text, "re: two");
  EXPECT_THAT(setup.prompt(), HasSubstr("[assistant]re:\n[user]two"));
}

TEST(Session, AQuestionCancelledBeforeTheAnswerIsForgotten) {
  FakeChat setup;
  setup.session.ask("one");
  const auto context = setup.model.context();
  const Reply reply =
      setup.session.ask("two", {.on_text = {}, .on_prefill = {}, .cancelled = [] { return true; }});
  EXPECT_FALSE(reply.kept);
  EXPECT_EQ(setup.session.conversation().turns.size(), 1u);
  EXPECT_EQ(setup.session.ask("three").generation.text, "re: three");
  EXPECT_THAT(setup.prompt(), Not(HasSubstr("two")));
}

TEST(Session, ACancelledRegenerationKeepsTheOldAnswer) {
  FakeChat setup;
  setup.session.ask("one");
  EXPECT_FALSE(
      setup.session.regenerate({.on_text = {}, .on_prefill = {}, .cancelled = [] { return true; }})
          .kept);
  ASSERT_EQ(setup.session.conversation().turns.size(), 1u);
  EXPECT_EQ(setup.session.conversation().turns[0].answer, "re: one");
}

TEST(Session, WhatDoesNotFitIsAnErrorWithTheNumbers) {
  FakeChat setup(100);  // a quarter is kept for the answer: 75 for the prompt
  setup.session.ask("first question");
  // "<s>[user]first question\n[assistant]re: first question\n" 1+6+15+11+19, then 6+24+1+11
  const std::string message = error_of([&] { setup.session.ask("123456789012345678901234"); });
  EXPECT_THAT(message, HasSubstr("94 tokens of prompt"));
  EXPECT_THAT(message, HasSubstr("at most 75 tokens (a context of 100 less 25"));
  EXPECT_EQ(setup.session.conversation().turns.size(), 1u);
}

TEST(Session, DropOldestDropsWholeTurnsAndSaysSo) {
  FakeChat setup(160, {.overflow = OverflowPolicy::drop_oldest, .generate = {}});
  setup.session.set_system("Be kind.");
  int dropped = 0;
  for (int i = 0; i < 30; ++i) {
    const Reply reply = setup.session.ask("question " + std::to_string(i));
    dropped += reply.dropped_turns;
    EXPECT_EQ(setup.session.dropped_turns(), static_cast<std::size_t>(dropped));
    EXPECT_THAT(setup.prompt(), StartsWith("[system]Be kind.\n[user]question "));
    EXPECT_EQ(reply.generation.finish, FinishReason::end);
    EXPECT_EQ(reply.generation.text, "re: question " + std::to_string(i));
  }
  EXPECT_GT(dropped, 20);
  EXPECT_EQ(setup.session.conversation().turns.size(), 30u);  // nothing is lost to /save
}

// With any sizes: the system prompt is always there, turns are whole, no more are dropped than
// needed, and what is sent fits.
TEST(Session, DroppingHoldsItsPromisesForRandomConversations) {
  Random random(8);
  for (int round = 0; round < 60; ++round) {
    const int n_ctx = 150 + static_cast<int>(random.bits32() % 200);
    FakeChat setup(n_ctx,
                   {.overflow = OverflowPolicy::drop_oldest, .generate = {.max_tokens = 20}});
    setup.session.set_system("SYSTEM");
    for (int turn = 0; turn < 12; ++turn) {
      const auto before = setup.session.dropped_turns();
      setup.session.ask(std::string(1 + random.bits32() % 60, 'x'));
      const auto& turns = setup.session.conversation().turns;
      const auto first = setup.session.dropped_turns();
      std::vector<PromptMessage> expected = {{"system", "SYSTEM"}};
      for (std::size_t i = first; i + 1 < turns.size(); ++i) {
        expected.push_back({"user", turns[i].user});
        expected.push_back({"assistant", turns[i].answer});
      }
      expected.push_back({"user", turns.back().user});
      ASSERT_THAT(setup.prompt(), StartsWith(render(expected)));
      ASSERT_LE(1 + render(expected).size() + 20, static_cast<std::size_t>(n_ctx));
      if (first > before) {  // with one more turn it would not have fitted
        const Turn& last_dropped = turns[first - 1];
        const std::size_t more = std::string("[user]\n[assistant]\n").size() +
                                 last_dropped.user.size() + last_dropped.answer.size();
        ASSERT_GT(1 + render(expected).size() + more + 20, static_cast<std::size_t>(n_ctx));
      }
    }
  }
}

TEST(Session, AMessageThatFitsInNoCaseIsAnErrorWhateverThePolicy) {
  FakeChat setup(100, {.overflow = OverflowPolicy::drop_oldest, .generate = {}});
  setup.session.ask("one");
  // "<s>[user]", 90 bytes, "\n[assistant]": 7 + 90 + 12
  const std::string message = error_of([&] { setup.session.ask(std::string(90, 'x')); });
  EXPECT_THAT(message, HasSubstr("even without the turns before"));
  EXPECT_THAT(message, HasSubstr("109 tokens"));
  EXPECT_EQ(setup.session.dropped_turns(), 0u);
  EXPECT_EQ(setup.session.conversation().turns.size(), 1u);
}

TEST(Session, ATemplateThatRefusesASystemPromptIsNamed) {
  FakeChat setup(1000, {}, [](std::span<const PromptMessage> messages) {
    if (messages[0].role == "system") throw Error("System role not supported");
    return render(messages);
  });
  const std::string message = error_of([&] { setup.session.set_system("Be kind."); });
  EXPECT_THAT(message, HasSubstr("does not take a system prompt"));
  EXPECT_THAT(message, HasSubstr("System role not supported"));
  EXPECT_EQ(setup.session.ask("one").generation.text, "re: one");
}

TEST(Session, ATemplateThatDropsTheSystemPromptIsNamed) {
  FakeChat setup(1000, {}, [](std::span<const PromptMessage> messages) {
    return render(messages[0].role == "system" ? messages.subspan(1) : messages);
  });
  EXPECT_THAT(error_of([&] { setup.session.set_system("Be kind."); }), HasSubstr("leaves it out"));
  EXPECT_EQ(error_of([&] { setup.session.set_system(" \n"); }), "");
}

TEST(Session, AnErrorOfTheTemplateLeavesTheConversation) {
  bool broken = false;
  FakeChat setup(1000, {}, [&broken](std::span<const PromptMessage> messages) {
    if (broken) throw Error("line 3: no");
    return render(messages);
  });
  setup.session.ask("one");
  broken = true;
  EXPECT_THAT(error_of([&] { setup.session.ask("two"); }), HasSubstr("line 3"));
  EXPECT_THAT(error_of([&] { setup.session.regenerate(); }), HasSubstr("line 3"));
  ASSERT_EQ(setup.session.conversation().turns.size(), 1u);
  EXPECT_EQ(setup.session.conversation().turns[0].answer, "re: one");
}

TEST(Session, ReplaceGoesOnWithAnotherConversation) {
  FakeChat setup;
  setup.session.ask("one");
  setup.session.replace({.system = "S", .turns = {{.user = "u", .answer = "a"}}});
  setup.session.ask("two");
  EXPECT_EQ(setup.prompt(), "[system]S\n[user]u\n[assistant]a\n[user]two\n[assistant]re: two");
}

TEST(EncodePrompt, LeavesOutAnEndToken) {
  Vocab vocab = test::byte_tokenizer()->vocab();
  vocab.add_eos = true;
  const auto tokenizer = Tokenizer::create(vocab);
  const std::vector<TokenId> tokens = encode_prompt(*tokenizer, "<s>x");
  EXPECT_EQ(tokens, (std::vector<TokenId>{test::kBos, test::byte_token('x')}));
}

TEST(EncodePrompt, MarkedTextIsNoControlToken) {
  const auto tokenizer = test::byte_tokenizer();
  const std::vector<TokenId> tokens =
      encode_prompt(*tokenizer, "<s>" + tokenizer->as_literal("a<s>b"));
  std::vector<TokenId> expected = {test::kBos};
  for (const char c : std::string_view("a<s>b")) expected.push_back(test::byte_token(c));
  EXPECT_EQ(tokens, expected);
}

}  // namespace
}  // namespace hearth
