// A context: one sequence, fed in any pieces, never past its end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "engine/model/families.h"
#include "engine/runtime/context.h"
#include "engine/runtime/prompt_cache.h"
#include "tests/support/toy_model.h"

namespace hearth {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Floats = std::vector<float>;
using Tokens = std::vector<std::int32_t>;

class ContextTest : public testing::Test {
 protected:
  ModelBundle open(test::ToyOptions toy, LoadOptions options) {
    bytes_ = test::toy_model(toy);
    file_ = std::make_unique<gguf::Reader>(gguf::Reader::from_bytes(bytes_, "toy.gguf"));
    return load_model(*file_, options);
  }

  ModelBundle encoder(std::uint32_t pooling) {
    test::ToyOptions toy{.family = "bert", .n_ctx = 16};
    toy.metadata = [pooling](gguf::Writer& writer) { writer.set("bert.pooling_type", pooling); };
    return open(toy, {.n_ctx = 8});
  }

  template <class Action>
  static std::string error_of(Action action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  static Floats eval(Context& context, const Tokens& tokens) {
    const std::span<const float> logits = context.eval(tokens);
    return {logits.begin(), logits.end()};
  }

  std::vector<std::byte> bytes_;
  std::unique_ptr<gguf::Reader> file_;
  const Tokens tokens_ = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4};
};

TEST_F(ContextTest, LogitsAreThoseOfTheLastTokenHoweverTheyWereFed) {
  const ModelBundle bundle = open({}, {.n_ctx = 32, .n_ubatch = 7});
  Context& context = *bundle.context;
  const Floats whole = eval(context, tokens_);
  EXPECT_EQ(context.n_past(), 20);
  std::vector<Floats> all;
  context.truncate(0);
  context.eval_all(tokens_,
                   [&](std::span<const float> x) { all.emplace_back(x.begin(), x.end()); });
  ASSERT_EQ(all.size(), 20U);
  EXPECT_EQ(all.back(), whole);
  context.truncate(0);
  for (std::size_t t = 0; t < tokens_.size(); ++t) {
    EXPECT_EQ(eval(context, {tokens_[t]}), all[t]) << "token " << t;
  }
}

TEST_F(ContextTest, TruncateForgetsTheTailOnly) {
  const ModelBundle bundle = open({}, {.n_ctx = 32});
  Context& context = *bundle.context;
  const Floats whole = eval(context, tokens_);
  context.truncate(11);
  eval(context, {60, 61, 62});
  context.truncate(11);
  EXPECT_EQ(eval(context, Tokens(tokens_.begin() + 11, tokens_.end())), whole);
}

// Layers with a window keep what the rows of a step look back at; with steps of 2000 that is all.
TEST_F(ContextTest, WindowedLayersGiveTheSameBitsWhenTheyLetGo) {
  const test::ToyOptions toy = test::toy_of(*find_family("gemma2"));
  Tokens tokens(1700);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<std::int32_t>((i * i + 7 * i) % 64);
  }
  const auto part = [&](std::size_t first, std::size_t last) {
    return Tokens(tokens.begin() + static_cast<std::ptrdiff_t>(first),
                  tokens.begin() + static_cast<std::ptrdiff_t>(last));
  };
  Floats expected[3];
  {
    const ModelBundle bundle = open(toy, {.n_ctx = 2100, .n_ubatch = 2000});
    expected[0] = eval(*bundle.context, part(0, 900));
    expected[1] = eval(*bundle.context, part(900, 1690));
    expected[2] = eval(*bundle.context, part(1690, 1700));
  }
  const ModelBundle bundle = open(toy, {.n_threads = 2, .n_ctx = 2100, .n_ubatch = 16});
  Context& context = *bundle.context;
  EXPECT_EQ(eval(context, part(0, 900)), expected[0]);
  EXPECT_EQ(eval(context, part(900, 1690)), expected[1]);
  EXPECT_EQ(eval(context, part(1690, 1700)), expected[2]);
  EXPECT_EQ(context.truncate(1690), 1690) << "not far back: still there";
  EXPECT_EQ(eval(context, part(1690, 1700)), expected[2]);
  EXPECT_EQ(context.truncate(900), 0) << "gone";
  EXPECT_EQ(context.n_past(), 0);
  PromptCache cache(context);
  cache.prefill(part(0, 1690));
  cache.prefill(part(0, 900));
  EXPECT_EQ(cache.reused(), 0);
  const auto logits = cache.prefill(part(0, 1690));
  EXPECT_EQ(cache.reused(), 900);
  EXPECT_EQ(Floats(logits.begin(), logits.end()), expected[1]);
}

TEST_F(ContextTest, SeveralSequencesGiveTheBitsOfEachAlone) {
  const std::vector<Tokens> prompts = {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {60}, {33, 7, 33, 8}};
  const Tokens next = {11, 12, 13};
  const ModelBundle bundle = open({}, {.n_ctx = 16, .n_ubatch = 6, .n_slots = 3});
  Context& context = *bundle.context;
  std::vector<Floats> expected;
  for (std::size_t i = 0; i < 3; ++i) {
    context.truncate(0);
    expected.push_back(eval(context, prompts[i]));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    context.truncate(0);
    eval(context, prompts[i]);
    expected.push_back(eval(context, {next[i]}));
  }
  context.truncate(0);
  Floats got;
  const auto run = [&](const std::vector<Context::Input>& inputs) {
    const std::span<const float> logits = context.eval_batch(inputs);
    got.insert(got.end(), logits.begin(), logits.end());
  };
  run({{2, prompts[0]}, {0, prompts[1]}, {1, prompts[2]}});  // over more than one micro-batch
  EXPECT_EQ(context.n_past(2), 9);
  EXPECT_EQ(context.n_past(1), 4);
  const std::span all(next);
  run({{2, all.subspan(0, 1)}, {0, all.subspan(1, 1)}, {1, all.subspan(2, 1)}});
  Floats flat;
  for (const Floats& logits : expected) flat.insert(flat.end(), logits.begin(), logits.end());
  EXPECT_EQ(got, flat);
}

TEST_F(ContextTest, MoreSequencesThanAHeadPassTakesAreServed) {
  constexpr int kMany = 40;
  const ModelBundle bundle = open({}, {.n_ctx = 4, .n_slots = kMany});
  Context& context = *bundle.context;
  Tokens tokens(kMany);
  std::vector<Context::Input> inputs;
  for (int i = 0; i < kMany; ++i) {
    tokens[static_cast<std::size_t>(i)] = i;
    inputs.push_back({i, std::span(tokens).subspan(static_cast<std::size_t>(i), 1)});
  }
  const std::span<const float> logits = context.eval_batch(inputs);
  ASSERT_EQ(logits.size(), kMany * 64U);
  const Floats last(logits.end() - 64, logits.end());
  context.truncate(0);
  EXPECT_EQ(eval(context, {kMany - 1}), last);
}

/// As eval_likeliest() says of each alone, over more sequences than a head pass takes.
TEST_F(ContextTest, TellsTheLikeliestTokenOfEverySequence) {
  constexpr int kMany = 19;
  const ModelBundle bundle = open({}, {.n_ctx = 8, .n_ubatch = 9, .n_slots = kMany});
  Context& context = *bundle.context;
  std::vector<Tokens> texts;
  for (int i = 0; i < kMany; ++i) texts.push_back({i, 3, (7 * i) % 64});
  Tokens expected;
  for (const Tokens& text : texts) {
    context.truncate(0);
    expected.push_back(context.eval_likeliest(text));
  }
  context.truncate(0);
  std::vector<Context::Input> inputs;
  for (int i = 0; i < kMany; ++i) inputs.push_back({i, texts[static_cast<std::size_t>(i)]});
  EXPECT_EQ(context.eval_batch_likeliest(inputs), expected);
  EXPECT_GT(std::set<std::int32_t>(expected.begin(), expected.end()).size(), 1U);
  EXPECT_EQ(context.n_past(kMany - 1), 3);
}

/// A weight that is no number spoils every logit.
TEST_F(ContextTest, HasNoLikeliestTokenWhereLogitsAreNoNumbers) {
  bytes_ = test::toy_model({});
  file_ = std::make_unique<gguf::Reader>(gguf::Reader::from_bytes(bytes_, "toy.gguf"));
  const gguf::Tensor* norm = file_->find_tensor("output_norm.weight");
  const float nan = std::nanf("");
  const auto at = static_cast<std::size_t>(norm->data.data() - bytes_.data());
  std::memcpy(bytes_.data() + at, &nan, sizeof(nan));
  const ModelBundle bundle = load_model(*file_, {.n_ctx = 8, .n_slots = 2});
  const Context::Input inputs[] = {{0, tokens_}, {1, tokens_}};
  const Context::Input first[] = {{0, std::span(tokens_).first(2)},
                                  {1, std::span(tokens_).first(3)}};
  EXPECT_THAT(error_of([&] { bundle.context->eval_batch_likeliest(first); }),
              HasSubstr("not a number"));
  EXPECT_THAT(error_of([&] { bundle.context->eval_batch_likeliest(inputs); }),
              HasSubstr("do not fit"));
}

TEST_F(ContextTest, PretendedTokensAreSeenByWhatComesAfter) {
  const ModelBundle bundle = open({}, {.n_ctx = 32, .n_ubatch = 7, .n_slots = 2});
  Context& context = *bundle.context;
  const Floats alone = eval(context, {5});
  context.pretend(0, 20);
  EXPECT_EQ(context.n_past(0), 20);
  EXPECT_EQ(context.n_past(1), 0);
  const Floats after = eval(context, {5});
  EXPECT_NE(after, alone);
  for (const float logit : after) EXPECT_TRUE(std::isfinite(logit));
  context.truncate(0);
  EXPECT_EQ(eval(context, {5}), alone);
}

TEST_F(ContextTest, WhatDoesNotFitIsAnErrorWithTheNumbers) {
  const ModelBundle bundle = open({}, {.n_ctx = 24});
  Context& context = *bundle.context;
  eval(context, tokens_);
  EXPECT_THAT(error_of([&] {
                eval(context, {1, 2, 3, 4, 5});
              }),
              AllOf(HasSubstr("5 more tokens"), HasSubstr("after 20"), HasSubstr("at most 24"),
                    HasSubstr("25")));
  EXPECT_EQ(context.n_past(), 20);
  EXPECT_EQ(error_of([&] { eval(context, {1, 2, 3, 4}); }), "");
}

TEST_F(ContextTest, TokensOutsideTheVocabularyAreRefused) {
  const ModelBundle bundle = open({}, {.n_ctx = 24});
  EXPECT_THAT(error_of([&] {
                eval(*bundle.context, {1, 64});
              }),
              AllOf(HasSubstr("0 to 63"), HasSubstr("64")));
  EXPECT_THAT(error_of([&] { eval(*bundle.context, {-1}); }), HasSubstr("-1"));
  EXPECT_NE(error_of([&] { eval(*bundle.context, {}); }), "");
  EXPECT_EQ(bundle.context->n_past(), 0);
}

TEST_F(ContextTest, StopsBetweenMicroBatchesWhenAsked) {
  const ModelBundle bundle = open({}, {.n_ctx = 32, .n_ubatch = 4});
  Context& context = *bundle.context;
  std::vector<std::uint64_t> reports;
  EXPECT_THROW(context.eval(tokens_,
                            [&](std::uint64_t done, std::uint64_t total) {
                              EXPECT_EQ(total, 20U);
                              reports.push_back(done);
                              return done < 8;
                            }),
               Cancelled);
  EXPECT_EQ(reports, (std::vector<std::uint64_t>{0, 4, 8}));
  EXPECT_EQ(context.n_past(), 8);
  const Floats rest = eval(context, Tokens(tokens_.begin() + 8, tokens_.end()));
  context.truncate(0);
  EXPECT_EQ(eval(context, tokens_), rest);
}

TEST_F(ContextTest, LoadReportsItsProgressAndCanBeStopped) {
  std::uint64_t last = 0;
  std::uint64_t all = 0;
  open({}, {.progress = [&](std::uint64_t done, std::uint64_t total) {
         EXPECT_GE(done, last);
         last = done;
         all = total;
         return true;
       }});
  EXPECT_EQ(last, all);
  EXPECT_GT(all, 1000U);
  EXPECT_THROW(open({}, {.progress = [](std::uint64_t, std::uint64_t) { return false; }}),
               Cancelled);
}

TEST_F(ContextTest, PoolsTheHiddenStates) {
  const Tokens three = {1, 2, 3};
  std::vector<Floats> pooled;  // none (the last), mean, first, last
  for (const std::uint32_t type : {0U, 1U, 2U, 3U}) {
    pooled.push_back(encoder(type).context->embed(three));
  }
  const ModelBundle bundle = encoder(1);
  Forward forward(*bundle.model, 8, 8);
  Floats rows;
  forward.hidden(rows, forward.run(three, 0, false));
  const std::size_t n = 32;
  EXPECT_EQ(pooled[0], Floats(rows.begin() + 64, rows.end()));
  EXPECT_EQ(pooled[2], Floats(rows.begin(), rows.begin() + 32));
  EXPECT_EQ(pooled[3], pooled[0]);
  for (std::size_t j = 0; j < n; ++j) {
    EXPECT_NEAR(pooled[1][j], (rows[j] + rows[n + j] + rows[2 * n + j]) / 3.0, 1e-6);
  }
  EXPECT_EQ(bundle.context->embed(three), bundle.context->embed(three)) << "nothing is left over";
}

TEST_F(ContextTest, AnEncoderTakesItsTextWhole) {
  const ModelBundle bundle = encoder(1);
  EXPECT_THAT(error_of([&] { bundle.context->embed(Tokens(9, 1)); }), HasSubstr("at most 8"));
  test::ToyOptions toy{.family = "bert", .n_ctx = 16};
  const ModelBundle narrow = open(toy, {.n_ctx = 16, .n_ubatch = 4});
  EXPECT_THAT(error_of([&] { narrow.context->embed(Tokens(5, 1)); }),
              AllOf(HasSubstr("--ubatch"), HasSubstr("at most 4 tokens")));
}

TEST_F(ContextTest, LearnedPositionsEndTheContext) {
  const test::ToyOptions toy{.family = "gpt2", .n_ctx = 16};
  EXPECT_THAT(error_of([&] { open(toy, {.n_ctx = 17}); }), HasSubstr("-c 16 or less"));
  EXPECT_EQ(open(toy, {.n_ctx = 16}).context->n_ctx(), 16);
  EXPECT_EQ(open(toy, {}).context->n_ctx(), 16);
  EXPECT_EQ(context_for(*file_, 3), 16);
  EXPECT_EQ(open({}, {.n_ctx = 300}).context->n_ctx(), 300);
  EXPECT_EQ(context_for(*file_, 3), 256);
  EXPECT_EQ(context_for(*file_, 257), 512);
}

TEST_F(ContextTest, AContextThatNeedsMoreMemoryThanThereIsIsRefused) {
  EXPECT_GT(available_memory(), 1U << 20);
  EXPECT_THAT(error_of([&] { open({.n_layer = 64, .n_embd = 256}, {.n_ctx = 1 << 28}); }),
              AllOf(HasSubstr("MiB"), HasSubstr("-c")));
}

/// One MiB, of which the system knows nothing.
std::uint64_t one_mebibyte() {
  return 1U << 20;
}

TEST_F(ContextTest, WeightsThatNeedMoreMemoryThanThereIsAreRefused) {
  const test::ToyOptions five_mebibytes{.n_layer = 2, .n_embd = 256, .n_ff = 512};
  LoadOptions options{.n_ctx = 8, .n_ubatch = 8, .available_memory = one_mebibyte};
  EXPECT_THAT(error_of([&] { open(five_mebibytes, options); }),
              AllOf(HasSubstr("toy.gguf"), HasSubstr("the weights need more memory"),
                    HasSubstr("at most 1 MiB"), HasSubstr("5 MiB"), HasSubstr("--no-repack")));
  options.repack = false;
  EXPECT_EQ(open(five_mebibytes, options).context->n_ctx(), 8) << "the file's map is enough";
  options.n_ctx = 4096;
  EXPECT_THAT(
      error_of([&] { open(five_mebibytes, options); }),
      AllOf(HasSubstr("a context of 4096 tokens"), HasSubstr("at most 1 MiB"), HasSubstr("-c")));
}

}  // namespace
}  // namespace hearth
