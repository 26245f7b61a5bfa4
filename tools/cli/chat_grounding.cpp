#include "tools/cli/chat_grounding.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "engine/retrieval/words.h"

namespace hearth::cli {
namespace {

constexpr int kMostRewritten = 64;            // tokens of a question
constexpr std::size_t kMostHistoryTurns = 4;  // that a question may lean on
constexpr double kLeastOwnWords = 0.4;        // share of its words that the user has said

/// Whether `text` is a question of somebody who said `said`: a model that cannot rewrite answers
/// instead, or says what comes to its mind.
bool is_about(const std::string& text, const std::string& said) {
  const std::vector<std::string> known = retrieval::terms_of(said);
  const std::vector<std::string> words = retrieval::terms_of(text);
  const auto is_known = [&](const std::string& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  const auto n = std::count_if(words.begin(), words.end(), is_known);
  return n > 0 && static_cast<double>(n) >= kLeastOwnWords * static_cast<double>(words.size());
}

}  // namespace

ChatGrounding::ChatGrounding(const RetrievalOptions& retrieval, const GroundingOptions& options)
    : retriever_(retrieval), prompt_(options.template_file), threshold_(options.threshold) {
  check_grounding(options);
}

std::string ChatGrounding::standalone(const std::string& question, Session& session,
                                      const GenerateHooks& hooks) const {
  const std::vector<Turn>& turns = session.conversation().turns;
  if (turns.empty()) return question;
  // As many of the last turns as the context has room for.
  for (std::size_t n = std::min(turns.size(), kMostHistoryTurns); n > 0; --n) {
    std::string history;
    std::string said = question;
    for (const Turn& turn : std::span(turns).last(n)) {
      history += fmt::format("User: {}\nAssistant: {}\n", turn.user, turn.answer);
      said += " " + turn.user;
    }
    const std::vector<PromptMessage> messages = {
        {.role = "user",
         .content = fmt::format(
             "Here is a conversation and a question that follows it. Write the question so that "
             "it can be understood without the conversation. Write the question alone, in its own "
             "language.\n\n{}\nQuestion: {}",
             history, question)}};
    std::optional<std::string> rewritten = session.aside(messages, kMostRewritten, hooks);
    if (!rewritten) continue;
    rewritten->resize(std::min(rewritten->find('\n'), rewritten->size()));
    if (is_about(*rewritten, said)) return *rewritten;
    break;
  }
  return turns.back().user + " " + question;
}

std::optional<std::string> ChatGrounding::prompt_for(const std::string& question, Session& session,
                                                     const GenerateHooks& hooks) {
  searched_ = standalone(question, session, hooks);
  hits_ = retriever_.search(searched_);
  n_used_ = 0;
  if (hits_.best.empty() || hits_.confidence < threshold_) return std::nullopt;
  for (n_used_ = hits_.best.size(); n_used_ > 1; --n_used_) {
    std::string prompt = prompt_.render(question, std::span(hits_.best).first(n_used_));
    if (session.has_room_for(prompt)) return prompt;
  }
  // Of a single source that does not fit, the session says so with the numbers.
  return prompt_.render(question, std::span(hits_.best).first(1));
}

std::string ChatGrounding::sources() const {
  return source_lines(std::span(hits_.best).first(n_used_));
}

std::string ChatGrounding::why() const {
  if (searched_.empty()) return "(nothing has been asked yet)";
  std::string text = fmt::format("searched for: {}\nconfidence {:.2f}, threshold {:.2f}\n{}",
                                 searched_, hits_.confidence, threshold_, source_lines(hits_.best));
  if (n_used_ == 0) {
    text += "the model was not asked\n";
  } else if (n_used_ < hits_.best.size()) {
    text += fmt::format("the model was given the first {}\n", n_used_);
  }
  text.pop_back();
  return text;
}

}  // namespace hearth::cli
