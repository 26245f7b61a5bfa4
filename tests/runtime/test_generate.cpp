#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/runtime/generate.h"
#include "engine/runtime/repetition_guard.h"
#include "tests/support/fake_model.h"

namespace hearth {
namespace {

using test::FakeEvaluator;
using testing::ElementsAre;

// A model that says `answer` after a prompt that ends in "A:".
struct FakeRun {
  explicit FakeRun(std::string answer, int n_ctx = 1000)
      : tokenizer(test::byte_tokenizer()),
        model(n_ctx, test::scripted(*tokenizer, "A:", [answer](auto&) { return answer; })),
        cache(model),
        sampler({.temperature = 0}, 1, test::kFakeVocab) {}

  Generation run(const GenerateOptions& options = {}, const GenerateHooks& hooks = {}) {
    return generate(cache, *tokenizer, sampler, tokenizer->encode("Q A:"), options, hooks);
  }

  std::unique_ptr<Tokenizer> tokenizer;
  FakeEvaluator model;
  PromptCache cache;
  Sampler sampler;
};

/// Greedy answers need no logits, and are the same as those drawn from them.
TEST(Generate, TheLikeliestIsTheSameWithAndWithoutLogits) {
  FakeRun plain("hello there");
  FakeRun with_logits("hello there");
  const Generation a = plain.run();
  const Generation b = with_logits.run({.want_log_probs = true});
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.finish, b.finish);
  EXPECT_TRUE(plain.sampler.takes_the_likeliest());
  EXPECT_FALSE(Sampler({.temperature = 0.1}, 1, test::kFakeVocab).takes_the_likeliest());
  EXPECT_FALSE(Sampler({.temperature = 0, .repeat_penalty = 1.2}, 1, test::kFakeVocab)
                   .takes_the_likeliest());
  EXPECT_FALSE(Sampler({.temperature = 0, .logit_bias = {{3, 1.0}}}, 1, test::kFakeVocab)
                   .takes_the_likeliest());
}

TEST(Generate, EndsAtTheEndToken) {
  FakeRun setup("hello");
  const Generation made = setup.run();
  EXPECT_EQ(made.text, "hello");
  EXPECT_EQ(made.finish, FinishReason::end);
  EXPECT_EQ(made.tokens.size(), 5u);
  EXPECT_EQ(made.stats.prompt_tokens, 5);  // BOS and four bytes
  EXPECT_EQ(made.stats.answer_tokens, 5);
}

TEST(Generate, StreamsWholeCharactersThatAddUpToTheText) {
  const std::string answer = "\xED\x95\x9C\xEA\xB5\xAD \xF0\x9F\x94\xA5!";  // Korean, fire
  FakeRun setup(answer);
  std::vector<std::string> pieces;
  const Generation made =
      setup.run({}, {.on_text = [&](std::string_view text) { pieces.emplace_back(text); }});
  std::string sum;
  for (const std::string& piece : pieces) {
    EXPECT_TRUE(utf8::is_valid(piece));
    EXPECT_FALSE(piece.empty());
    sum += piece;
  }
  EXPECT_EQ(sum, answer);
  EXPECT_EQ(made.text, answer);
}

TEST(Generate, ABrokenCharacterAtTheEndIsNotLost) {
  FakeRun setup("x\xED\x95");
  EXPECT_EQ(setup.run().text, "x\xED\x95");
}

TEST(Generate, StopStringsEndItAndAreNeverShown) {
  FakeRun setup("one two three");
  std::string shown;
  const Generation made =
      setup.run({.stop = {"wo t"}}, {.on_text = [&](std::string_view text) { shown += text; }});
  EXPECT_EQ(made.text, "one t");
  EXPECT_EQ(shown, "one t");
  EXPECT_EQ(made.finish, FinishReason::stop);
  EXPECT_EQ(made.tokens.size(), 9u);  // up to the t that completes the stop string
}

TEST(Generate, WhatAStopStringHeldInVainIsShownAtTheEnd) {
  FakeRun setup("one tw");
  EXPECT_EQ(setup.run({.stop = {"two"}}).text, "one tw");
}

TEST(Generate, TheLimitEndsItWithoutAnotherStepOfTheModel) {
  FakeRun setup("abcdef");
  const Generation made = setup.run({.max_tokens = 3});
  EXPECT_EQ(made.text, "abc");
  EXPECT_EQ(made.finish, FinishReason::length);
  EXPECT_EQ(setup.model.evaluated, 5 + 2);
  EXPECT_EQ(FakeRun("abc").run({.max_tokens = 0}).finish, FinishReason::length);
}

TEST(Generate, AnAnswerOfExactlyTheLimitIsCutByTheLimit) {
  EXPECT_EQ(FakeRun("abc").run({.max_tokens = 3}).finish, FinishReason::length);
  EXPECT_EQ(FakeRun("abc").run({.max_tokens = 4}).finish, FinishReason::end);
}

TEST(Generate, AFullContextEndsIt) {
  FakeRun setup("abcdef", 8);  // 5 of prompt leave room for 3; the 4th needs no room of its own
  const Generation made = setup.run();
  EXPECT_EQ(made.text, "abcd");
  EXPECT_EQ(made.finish, FinishReason::context_full);
}

TEST(Generate, CancellingKeepsWhatWasSaid) {
  FakeRun setup("abcdef");
  int tokens = 0;
  const Generation made = setup.run({}, {.on_text = [&](std::string_view) { ++tokens; },
                                         .on_prefill = {},
                                         .cancelled = [&] { return tokens == 2; }});
  EXPECT_EQ(made.text, "ab");
  EXPECT_EQ(made.finish, FinishReason::cancelled);
}

TEST(Generate, CancellingInThePrefillGivesAnEmptyAnswer) {
  FakeRun setup("abc");
  const Generation made = setup.run(
      {}, {.on_text = {}, .on_prefill = [](auto, auto) { return false; }, .cancelled = {}});
  EXPECT_EQ(made.finish, FinishReason::cancelled);
  EXPECT_EQ(made.text, "");
  EXPECT_EQ(setup.model.evaluated, 0);
}

TEST(Generate, LogProbsAreThoseOfTheModel) {
  FakeRun setup("ab");
  const Generation made = setup.run({.want_log_probs = true, .top_log_probs = 3});
  ASSERT_EQ(made.tokens.size(), 2u);
  const GeneratedToken& first = made.tokens[0];
  ASSERT_EQ(first.top.size(), 3u);
  EXPECT_EQ(first.top[0].id, first.id);
  EXPECT_EQ(first.top[0].log_prob, first.log_prob);
  // The model gives 20 to its token and between 0 and 1 to each of the 259 others.
  EXPECT_LT(first.log_prob, -std::log1p(259 * std::exp(-20.0)));
  EXPECT_GT(first.log_prob, -std::log1p(259 * std::exp(-19.0)));
}

TEST(Generate, AnEndlessLoopIsStoppedWhenAskedFor) {
  std::string loop;
  while (loop.size() < 900) loop += "again and ";
  FakeRun setup(loop, 2000);
  const Generation made = setup.run({.stop_repetition = true});
  EXPECT_EQ(made.finish, FinishReason::repetition);
  EXPECT_EQ(made.tokens.size(), 256u);
  EXPECT_EQ(FakeRun(loop, 2000).run().finish, FinishReason::end);
}

TEST(RepetitionGuard, LeavesLongListsAlone) {
  RepetitionGuard guard;
  bool loops = false;
  for (TokenId i = 0; i < 400; ++i) {
    for (const TokenId id : {7, 8, i, 9}) loops |= guard.push(id);  // "item <i>."
  }
  EXPECT_FALSE(loops);
  for (int i = 0; i < 255; ++i) loops |= guard.push(5);
  EXPECT_FALSE(loops);
  EXPECT_TRUE(guard.push(5));
}

TEST(Generate, OptionsOutOfRangeAreErrors) {
  FakeRun setup("a");
  EXPECT_THROW(setup.run({.max_tokens = -2}), Error);
  EXPECT_THROW(setup.run({.stop = {""}}), Error);
  EXPECT_THROW(setup.run({.want_log_probs = true, .top_log_probs = -1}), Error);
}

TEST(FinishReasons, AllHaveNames) {
  for (const FinishReason reason :
       {FinishReason::end, FinishReason::stop, FinishReason::length, FinishReason::context_full,
        FinishReason::repetition, FinishReason::cancelled}) {
    EXPECT_FALSE(finish_reason_name(reason).empty());
    EXPECT_FALSE(finish_reason_text(reason).empty());
  }
  EXPECT_EQ(finish_reason_name(FinishReason::context_full), "context_full");
}

}  // namespace
}  // namespace hearth
