// The subcommands of `hearth`. Each file cmd_<name>.cpp defines one function that adds its
// subcommand to the program.
#pragma once

namespace hearth::cli {

class CommandLine;

using AddCommand = void (*)(CommandLine& line);

void add_chat(CommandLine& line);
void add_run(CommandLine& line);
void add_inspect(CommandLine& line);
void add_tokenize(CommandLine& line);
void add_detokenize(CommandLine& line);
void add_template(CommandLine& line);
void add_logits(CommandLine& line);
void add_verify(CommandLine& line);
void add_plan(CommandLine& line);
void add_perplexity(CommandLine& line);
void add_embed(CommandLine& line);
void add_index(CommandLine& line);
void add_search(CommandLine& line);
void add_import(CommandLine& line);
void add_export(CommandLine& line);
void add_ask(CommandLine& line);
void add_eval(CommandLine& line);
void add_convert(CommandLine& line);
void add_bench(CommandLine& line);
void add_quantize(CommandLine& line);
void add_synth(CommandLine& line);
void add_doctor(CommandLine& line);

/// Every subcommand, in the order of the help text. A new one is a line here and a file.
// clang-format off
inline constexpr AddCommand kCommands[] = {
    add_chat,
    add_run,
    add_inspect,
    add_tokenize,
    add_detokenize,
    add_template,
    add_logits,
    add_verify,
    add_plan,
    add_perplexity,
    add_embed,
    add_index,
    add_search,
    add_import,
    add_export,
    add_ask,
    add_eval,
    add_convert,
    add_bench,
    add_quantize,
    add_synth,
    add_doctor,
};
// clang-format on

}  // namespace hearth::cli
