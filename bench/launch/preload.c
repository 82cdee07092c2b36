/* preload.c - see preload.h. */
#include "preload.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* --- Finding ------------------------------------------------------------------------------------ */

static bool is_program(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

bool preload_find(const char *name, char path[PATH_MAX]) {
  if (strchr(name, '/'))
    return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && is_program(path);
  const char *directory = getenv("PATH");
  if (!directory)
    directory = "/bin:/usr/bin"; /* as execvp */
  for (;;) {
    size_t length = strcspn(directory, ":");
    int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, directory, length ? "/" : "", name);
    if (n < PATH_MAX && is_program(path))
      return true;
    if (!directory[length])
      return false;
    directory += length + 1;
  }
}

/* --- Judging ------------------------------------------------------------------------------------ */

/* Linux follows an interpreter that is a script itself so often. */
enum { INTERPRETERS = 5 };

static bool gains_rights(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0)
    return false;
  bool user = (status.st_mode & S_ISUID) && status.st_uid != geteuid();
  bool group =
      (status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getegid();
  bool capabilities = geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
  return user || group || capabilities;
}

/* Whether the file names a dynamic linker. */
static bool has_interpreter(int file, const Elf64_Ehdr *header) {
  for (unsigned i = 0; i < header->e_phnum; i++) {
    Elf64_Phdr part;
    off_t at = (off_t)(header->e_phoff + (Elf64_Off)i * header->e_phentsize);
    if (pread(file, &part, sizeof part, at) != sizeof part)
      return true; /* not for us to say */
    if (part.p_type == PT_INTERP)
      return true;
  }
  return false;
}

static const char *judge_binary(int file, const Elf64_Ehdr *header) {
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
    return "is not an x86-64 program, so our library does not fit into it";
  if (!has_interpreter(file, header))
    return "is linked statically, so no library can be preloaded into it";
  return NULL;
}

/* Puts a script's interpreter in the place of the script. False when it is no script. */
static bool to_interpreter(const char *line, char path[PATH_MAX]) {
  if (strncmp(line, "#!", 2) != 0)
    return false;
  line += 2 + strspn(line + 2, " \t");
  size_t length = strcspn(line, " \t\n");
  if (length == 0 || length >= PATH_MAX)
    return false;
  memcpy(path, line, length);
  path[length] = '\0';
  return true;
}

const char *preload_refused(const char *path, char whom[PATH_MAX]) {
  snprintf(whom, PATH_MAX, "%s", path);
  for (int i = 0; i < INTERPRETERS; i++) {
    union {
      char line[256 + 1]; /* as much as Linux reads of a script */
      Elf64_Ehdr header;
    } first = {{0}};
    int file = open(whom, O_RDONLY | O_CLOEXEC);
    if (file < 0)
      return NULL;
    ssize_t length = pread(file, first.line, sizeof first.line - 1, 0);
    const char *reason = NULL;
    bool binary =
        length >= (ssize_t)sizeof first.header && memcmp(first.line, ELFMAG, SELFMAG) == 0;
    if (binary)
      reason = gains_rights(whom) ? "runs with other rights than yours (set-user-ID, set-group-ID "
                                    "or capabilities), so no library can be preloaded into it"
                                  : judge_binary(file, &first.header);
    close(file);
    if (binary || !to_interpreter(first.line, whom))
      return reason;
  }
  return NULL;
}
