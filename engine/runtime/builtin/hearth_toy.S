// The bytes of the built-in model between two symbols. HEARTH_TOY_GGUF: path of the file, a string.

    .section .rodata
    .balign 64  // tensors are aligned to 32 within the file
    .global hearth_toy_begin
    .global hearth_toy_end
hearth_toy_begin:
    .incbin HEARTH_TOY_GGUF
hearth_toy_end:
    .byte 0  // so that the end lies inside the section

    .section .note.GNU-stack, "", %progbits  // needs no executable stack
