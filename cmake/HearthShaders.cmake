# Shaders: GLSL to SPIR-V at build time, as the manifest says, embedded in a library as data.

find_program(HEARTH_GLSLANG glslangValidator
  DOC "The GLSL compiler of the Khronos group (Debian: glslang-tools)")

# hearth_shaders(TARGET MANIFEST): static library TARGET with the modules that the manifest lists. A line of it is a name, a source
# beside it, and macros. The target's property HEARTH_MODULES has
# the compiled files, NAME.spv, for spirv-val.
function(hearth_shaders TARGET MANIFEST)
  if(NOT HEARTH_GLSLANG)
    message(FATAL_ERROR "glslangValidator was not found: it compiles the Vulkan shaders. Install it (Debian, Ubuntu: "
      "apt install glslang-tools; tools/install_packages build installs all that the build needs), or build for the CPU alone "
      "with -DHEARTH_VULKAN=OFF.")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${MANIFEST})
  get_filename_component(folder ${MANIFEST} DIRECTORY)
  set(out ${CMAKE_CURRENT_BINARY_DIR})
  set(modules "")
  set(assembly "/* Made from the shaders' manifest: every module as data, and a table of them. */\n")
  set(rows "")
  file(STRINGS ${MANIFEST} lines REGEX "^[^#]")
  foreach(line IN LISTS lines)
    separate_arguments(words UNIX_COMMAND "${line}")
    list(POP_FRONT words name source)
    list(TRANSFORM words PREPEND -D)
    add_custom_command(OUTPUT ${out}/${name}.spv
      COMMAND ${HEARTH_GLSLANG} --quiet -V --target-env vulkan1.1 -g0 ${words} --depfile ${out}/${name}.d
              -o ${out}/${name}.spv ${folder}/${source}
      DEPENDS ${folder}/${source} DEPFILE ${out}/${name}.d
      COMMENT "Compiling shader ${name}" VERBATIM)
    list(APPEND modules ${out}/${name}.spv)
    string(APPEND assembly
      ".balign 4\nname_${name}: .asciz \"${name}\"\n.balign 4\nfirst_${name}: .incbin \"${out}/${name}.spv\"\nlast_${name}:\n")
    string(APPEND rows ".quad name_${name}, first_${name}, last_${name}\n")
  endforeach()
  list(LENGTH modules count)
  # The table has pointers, which the loader fills in: it is not in a section that stays read-only from the start.
  file(CONFIGURE OUTPUT ${out}/modules.S @ONLY CONTENT
".section .rodata\n${assembly}.section .data.rel.ro,\"aw\"\n.balign 8\n.globl hearth_shader_modules\nhearth_shader_modules:\n${rows}\
.globl hearth_shader_module_count\n.balign 8\nhearth_shader_module_count: .quad ${count}\n.section .note.GNU-stack,\"\",%progbits\n")
  set_source_files_properties(${out}/modules.S PROPERTIES OBJECT_DEPENDS "${modules}")
  add_library(${TARGET} STATIC ${out}/modules.S)
  set_target_properties(${TARGET} PROPERTIES HEARTH_MODULES "${modules}")
endfunction()
