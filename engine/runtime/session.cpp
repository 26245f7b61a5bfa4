#include "engine/runtime/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"

namespace hearth {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void add(GenerationStats& sum, const GenerationStats& more) {
  sum.prompt_tokens += more.prompt_tokens;
  sum.reused_tokens += more.reused_tokens;
  sum.answer_tokens += more.answer_tokens;
  sum.decoded_tokens += more.decoded_tokens;
  sum.prefill_seconds += more.prefill_seconds;
  sum.decode_seconds += more.decode_seconds;
}

}  // namespace

std::vector<TokenId> encode_prompt(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> tokens = tokenizer.encode(text, {.parse_special = true, .drop_marks = true});
  const Vocab& vocab = tokenizer.vocab();
  // An EOS that the vocabulary puts behind every text would end the answer before it begins.
  if (vocab.add_eos && !tokens.empty() && tokens.back() == vocab.eos) tokens.pop_back();
  return tokens;
}

Session::Session(Evaluator& evaluator, const Tokenizer& tokenizer, PromptRenderer render,
                 Sampler sampler, SessionOptions options)
    : tokenizer_(&tokenizer),
      render_(std::move(render)),
      cache_(evaluator),
      sampler_(std::move(sampler)),
      options_(std::move(options)) {}

void Session::set_system(std::string system) {
  check_system(system);
  conversation_.system = std::move(system);
}

// Some templates refuse a system message, others drop it without a word: both are told apart from
// other troubles here, when it is set, and not in the middle of the conversation.
void Session::check_system(const std::string& system) const {
  if (trimmed(system).empty()) return;
  Conversation probe;
  const std::string question = "?";
  render_(probe.messages(question));
  probe.system = system;
  std::string why = "the template leaves it out of the prompt";
  try {
    const std::string text = render_(probe.messages(question));
    if (text.find(trimmed(system)) != std::string::npos) return;
  } catch (const Error& error) {
    why = error.what();
  }
  throw Error(Error::Parts{.where = "system prompt",
                           .what =
                               "this model's chat template does not take a system prompt (say it "
                               "in the first message instead)",
                           .expected = {},
                           .got = std::move(why)});
}

int Session::reserved_for_answer() const {
  constexpr int kUsualAnswer = 256;
  const int n_ctx = cache_.evaluator().n_ctx();
  const int wanted = options_.generate.max_tokens;
  return wanted >= 0 ? std::min(wanted, n_ctx / 2) : std::min(kUsualAnswer, n_ctx / 4);
}

bool Session::fits(std::size_t prompt_tokens) const {
  return static_cast<std::int64_t>(prompt_tokens) + reserved_for_answer() <=
         cache_.evaluator().n_ctx();
}

void Session::refuse(std::size_t prompt_tokens, bool dropping) const {
  const int n_ctx = cache_.evaluator().n_ctx();
  throw Error(Error::Parts{
      .where = "context",
      .what = dropping
                  ? "the message does not fit, even without the turns before it"
                  : "the conversation does not fit; a larger context (-c), /clear or --overflow "
                    "drop-oldest would help",
      .expected = fmt::format("at most {} tokens (a context of {} less {} kept for the answer)",
                              n_ctx - reserved_for_answer(), n_ctx, reserved_for_answer()),
      .got = fmt::format("{} tokens of prompt", prompt_tokens)});
}

std::vector<TokenId> Session::prompt_from(std::size_t first_turn,
                                          const std::string& question) const {
  auto tokens = encode_prompt(*tokenizer_, render_(conversation_.messages(question, first_turn)));
  if (tokens.empty()) {
    throw Error(Error::Parts{.where = "chat template",
                             .what = "renders to an empty prompt",
                             .expected = "some text",
                             .got = "nothing"});
  }
  return tokens;
}

// The prompt with as few turns dropped as possible; those that were dropped before stay so, which
// keeps the beginning of the prompt the same from turn to turn.
std::vector<TokenId> Session::fitting_prompt(const std::string& question,
                                             std::size_t& first_turn) const {
  std::vector<TokenId> prompt = prompt_from(first_turn, question);
  if (fits(prompt.size())) return prompt;
  if (options_.overflow == OverflowPolicy::error) refuse(prompt.size(), false);
  std::size_t too_long = first_turn, enough = conversation_.turns.size();
  prompt = prompt_from(enough, question);
  if (!fits(prompt.size())) refuse(prompt.size(), true);
  while (enough - too_long > 1) {
    const std::size_t middle = too_long + (enough - too_long) / 2;
    std::vector<TokenId> attempt = prompt_from(middle, question);
    if (fits(attempt.size())) {
      enough = middle;
      prompt = std::move(attempt);
    } else {
      too_long = middle;
    }
  }
  first_turn = enough;
  return prompt;
}

Reply Session::ask(std::string question, const GenerateHooks& hooks) {
  const std::string prompt = question;
  return ask_with(std::move(question), prompt, hooks);
}

bool Session::has_room_for(const std::string& prompt) const {
  return fits(prompt_from(first_turn_, prompt).size());
}

std::optional<std::string> Session::aside(std::span<const PromptMessage> messages, int max_tokens,
                                          const GenerateHooks& hooks) {
  const std::vector<TokenId> prompt = encode_prompt(*tokenizer_, render_(messages));
  const auto wanted = static_cast<std::int64_t>(prompt.size()) + max_tokens;
  if (prompt.empty() || wanted > cache_.evaluator().n_ctx()) return std::nullopt;
  Sampler likeliest({.temperature = 0}, 0, tokenizer_->n_tokens());
  return generate(cache_, *tokenizer_, likeliest, prompt, {.max_tokens = max_tokens}, hooks).text;
}

Reply Session::ask_with(std::string question, const std::string& given,
                        const GenerateHooks& hooks) {
  std::size_t first_turn = first_turn_;
  const std::vector<TokenId> prompt = fitting_prompt(given, first_turn);
  Reply reply;
  reply.dropped_turns = static_cast<int>(first_turn - first_turn_);
  reply.generation = generate(cache_, *tokenizer_, sampler_, prompt, options_.generate, hooks);
  const Generation& made = reply.generation;
  ++totals_.answers;
  add(totals_.stats, made.stats);
  reply.kept = !(made.finish == FinishReason::cancelled && made.text.empty());
  if (!reply.kept) return reply;
  first_turn_ = first_turn;
  last_prompt_ = given;
  conversation_.turns.push_back({.user = std::move(question),
                                 .answer = made.text,
                                 .finish = std::string(finish_reason_name(made.finish))});
  return reply;
}

Reply Session::regenerate(const GenerateHooks& hooks) {
  if (conversation_.turns.empty()) {
    throw Error(Error::Parts{
        .where = "regenerate", .what = "nothing has been asked yet", .expected = {}, .got = {}});
  }
  // The old turn comes back unless a new answer takes its place.
  Turn old = std::move(conversation_.turns.back());
  conversation_.turns.pop_back();
  const std::size_t old_first_turn = first_turn_;
  first_turn_ = std::min(first_turn_, conversation_.turns.size());
  const auto restore = [&] {
    conversation_.turns.push_back(std::move(old));
    first_turn_ = old_first_turn;
  };
  try {
    const std::string prompt = last_prompt_.empty() ? old.user : last_prompt_;
    Reply reply = ask_with(old.user, prompt, hooks);
    if (!reply.kept) restore();
    return reply;
  } catch (...) {
    restore();
    throw;
  }
}

void Session::clear() {
  conversation_.turns.clear();
  first_turn_ = 0;
}

void Session::replace(Conversation conversation) {
  check_system(conversation.system);
  conversation_ = std::move(conversation);
  last_prompt_.clear();
  first_turn_ = 0;
}

}  // namespace hearth
