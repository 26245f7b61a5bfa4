#include "tools/cli/chat_grounding.h"

#include <fmt/format.h>

#include <span>

#include "base/error.h"
#include "tools/cli/terminal.h"

namespace hearth::cli {
namespace {

constexpr int kMostRewritten = 64;            // tokens of a question
constexpr std::size_t kMostHistoryTurns = 4;  // that a question may lean on

}  // namespace

ChatGrounding::ChatGrounding(const RetrievalOptions& retrieval, const GroundingOptions& options)
    : retriever_(retrieval), prompt_(options.template_file), threshold_(options.threshold) {}

std::string ChatGrounding::standalone(const std::string& question, Session& session) const {
  const std::vector<Turn>& turns = session.conversation().turns;
  if (turns.empty()) return question;
  std::string history;
  const std::size_t first = turns.size() - std::min(turns.size(), kMostHistoryTurns);
  for (std::size_t i = first; i < turns.size(); ++i) {
    history += fmt::format("User: {}\nAssistant: {}\n", turns[i].user, turns[i].answer);
  }
  const std::vector<PromptMessage> messages = {
      {.role = "user",
       .content = fmt::format(
           "Here is a conversation and a question that follows it. Write the question so that it "
           "can be understood without the conversation. Write the question alone, in its own "
           "language.\n\n{}\nQuestion: {}",
           history, question)}};
  std::string rewritten = session.aside(messages, kMostRewritten);
  rewritten = rewritten.substr(0, rewritten.find('\n'));
  // A model that cannot do it gives nothing: then what was asked before goes along.
  const bool is_empty = rewritten.find_first_not_of(" \t") == std::string::npos;
  return is_empty ? turns.back().user + " " + question : rewritten;
}

std::optional<std::string> ChatGrounding::prompt_for(const std::string& question,
                                                     Session& session) {
  searched_ = standalone(question, session);
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
  if (n_used_ < hits_.best.size()) {
    text += fmt::format("the model was given the first {}\n", n_used_);
  }
  text.pop_back();
  return text;
}

}  // namespace hearth::cli
