/*
 * pam_stint: just-in-time access at this computer's own logins.
 *
 * It acts for two callers only, and is PAM_IGNORE for everybody else:
 *  - whoever logs in as the entry account (`stint`): the agent shows a QR code through the PAM conversation and says
 *    whether a technician approved;
 *  - `su` called by the entry account's shell, to become the technician's own account: the agent says whether this very
 *    session holds the approval, once.
 * It decides nothing, keeps nothing and logs nothing that was typed. See ../README.md.
 */
#define _GNU_SOURCE
#define PAM_SM_AUTH
#define PAM_SM_SESSION

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#define LINE_BYTES 2048
/* The agent says `wait` every five seconds while it works: a longer silence is an agent that hangs. */
#define SILENCE_MS 30000
#define FIRST_PERSON_UID 1000

static const char here[] = "stint_here";
static const char became[] = "stint_became";
static const char no_agent[] = "The Stint agent of this computer does not answer, so nobody can log in this way now. Other accounts work as ever.";

struct options {
  const char *user;
  const char *socket;
};

struct agent {
  int fd;
  size_t length;
  char buffer[LINE_BYTES];
};

struct verdict {
  bool granted;
  /* The account that was granted, or what to tell. */
  char text[LINE_BYTES];
};

static struct options read_options(int argc, const char **argv) {
  struct options o = {"stint", "/var/lib/stint-agent/pam.sock"};
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "user=", 5) == 0) o.user = argv[i] + 5;
    if (strncmp(argv[i], "socket=", 7) == 0) o.socket = argv[i] + 7;
  }
  return o;
}

static const char *service_of(pam_handle_t *pamh) {
  const void *item = NULL;
  return pam_get_item(pamh, PAM_SERVICE, &item) == PAM_SUCCESS && item != NULL ? item : "";
}

static bool is_one_of(const char *text, const char *const *list) {
  for (; *list != NULL; list++)
    if (strcmp(text, *list) == 0) return true;
  return false;
}

/* The services whose sessions the agent knows how to follow. */
static bool served(const char *service) {
  static const char *const services[] = {"login", "su", "su-l", "sudo", "sudo-i", "sshd", NULL};
  return is_one_of(service, services);
}

static bool is_su(const char *service) {
  static const char *const services[] = {"su", "su-l", NULL};
  return is_one_of(service, services);
}

/* login(1), of shadow and of util-linux, takes the user that PAM names in the end. The others keep the one they began with. */
static bool takes_another_user(const char *service) { return strcmp(service, "login") == 0; }

static bool has(pam_handle_t *pamh, const char *mark) {
  const void *data = NULL;
  return pam_get_data(pamh, mark, &data) == PAM_SUCCESS;
}

static int dial(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct timeval patience = {.tv_sec = SILENCE_MS / 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  /* Only the agent, as root, may answer: whoever else listened there could grant what he likes. */
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      peer.uid != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

__attribute__((format(printf, 2, 3))) static bool say(struct agent *a, const char *format, ...) {
  char line[LINE_BYTES];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line - 1, format, values);
  va_end(values);
  bool sent = false;
  if (length >= 0 && (size_t)length < sizeof line - 1) {
    line[length++] = '\n';
    size_t done = 0;
    while (done < (size_t)length) {
      ssize_t n = send(a->fd, line + done, (size_t)length - done, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += (size_t)n;
    }
    sent = done == (size_t)length;
  }
  explicit_bzero(line, sizeof line);
  return sent;
}

/* Reads one line without its end into `line`. False: the agent is gone, hangs, or says what is no line. */
static bool hear(struct agent *a, char line[LINE_BYTES]) {
  for (;;) {
    char *end = memchr(a->buffer, '\n', a->length);
    if (end != NULL) {
      size_t length = (size_t)(end - a->buffer);
      memcpy(line, a->buffer, length);
      line[length] = '\0';
      a->length -= length + 1;
      memmove(a->buffer, end + 1, a->length);
      return true;
    }
    if (a->length == sizeof a->buffer) return false;
    struct pollfd ready = {.fd = a->fd, .events = POLLIN};
    int polled = poll(&ready, 1, SILENCE_MS);
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return false;
    ssize_t n = recv(a->fd, a->buffer + a->length, sizeof a->buffer - a->length, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    a->length += (size_t)n;
  }
}

static bool ask(pam_handle_t *pamh, struct agent *a, int style, const char *question) {
  char *typed = NULL;
  if (pam_prompt(pamh, style, &typed, "%s", question) != PAM_SUCCESS) return false;
  for (char *c = typed; c != NULL && *c != '\0'; c++)
    if (*c == '\n' || *c == '\r') *c = ' ';
  bool sent = typed == NULL || strlen(typed) < LINE_BYTES / 2 ? say(a, "answer %s", typed == NULL ? "" : typed) : false;
  if (typed != NULL) {
    explicit_bzero(typed, strlen(typed));
    free(typed);
  }
  return sent;
}

/* login(1) gives up after LOGIN_TIMEOUT (60 s) by an alarm, which would end a login that somebody is just approving. */
static void take_time(pam_handle_t *pamh, const char *text) {
  unsigned wanted = (unsigned)strtoul(text, NULL, 10);
  if (strcmp(service_of(pamh), "login") != 0 || wanted > 7200) return;
  unsigned left = alarm(0);
  if (left > 0) alarm(left > wanted ? left : wanted);
}

static bool starts(const char *line, const char *word, const char **rest) {
  size_t length = strlen(word);
  if (strncmp(line, word, length) != 0 || (line[length] != ' ' && line[length] != '\0')) return false;
  *rest = line[length] == ' ' ? line + length + 1 : line + length;
  return true;
}

/* Shows and asks what the agent wants until it has decided. False: it did not. */
static bool converse(pam_handle_t *pamh, struct agent *a, struct verdict *v) {
  char line[LINE_BYTES];
  const char *rest;
  while (hear(a, line)) {
    if (starts(line, "life", &rest)) {
      take_time(pamh, rest);
    } else if (starts(line, "text", &rest)) {
      pam_info(pamh, "%s", rest);
    } else if (starts(line, "ask", &rest)) {
      if (!ask(pamh, a, PAM_PROMPT_ECHO_ON, rest)) return false;
    } else if (starts(line, "secret", &rest)) {
      if (!ask(pamh, a, PAM_PROMPT_ECHO_OFF, rest)) return false;
    } else if ((v->granted = starts(line, "ok", &rest)) || starts(line, "fail", &rest)) {
      snprintf(v->text, sizeof v->text, "%s", rest);
      return true;
    }
    /* `wait`, and whatever a newer agent says that need not be understood. */
  }
  return false;
}

/* This process in the words of proc_pid_stat(5): an id alone would be reused, an id with its start time is not. */
static bool started_at(char ticks[32]) {
  char stat[1024];
  int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, stat, sizeof stat - 1);
  close(fd);
  if (n <= 0) return false;
  stat[n] = '\0';
  char *field = strrchr(stat, ')');
  for (int i = 2; field != NULL && i < 22; i++) field = strchr(field + 1, ' ');
  return field != NULL && sscanf(field, " %31[0-9]", ticks) == 1;
}

/* Asks the agent one thing. False: no agent, or none that can be understood. */
static bool inquire(pam_handle_t *pamh, const struct options *o, const char *what, const char *more, struct verdict *v) {
  struct agent a = {.fd = dial(o->socket)};
  char ticks[32];
  v->granted = false;
  if (a.fd < 0) return false;
  bool answered = started_at(ticks) && say(&a, "%s %s %d %s%s%s", what, service_of(pamh), (int)getpid(), ticks, *more ? " " : "", more) &&
                  converse(pamh, &a, v);
  close(a.fd);
  explicit_bzero(&a, sizeof a);
  return answered;
}

/* sshd shows nothing after the last question: there, what must be read is a question. */
static void tell(pam_handle_t *pamh, const char *message) {
  char *typed = NULL;
  if (strcmp(service_of(pamh), "sshd") != 0) {
    pam_error(pamh, "%s", message);
  } else if (pam_prompt(pamh, PAM_PROMPT_ECHO_ON, &typed, "%s (Enter) ", message) == PAM_SUCCESS && typed != NULL) {
    explicit_bzero(typed, strlen(typed));
    free(typed);
  }
}

/* Whatever the agent said: never an account of the system's. */
static const struct passwd *person(pam_handle_t *pamh, const char *name) {
  const struct passwd *entry = pam_modutil_getpwnam(pamh, name);
  return entry != NULL && entry->pw_uid >= FIRST_PERSON_UID ? entry : NULL;
}

static int log_in(pam_handle_t *pamh, const struct options *o) {
  const char *service = service_of(pamh);
  struct verdict v;
  if (!served(service)) {
    pam_error(pamh, "%s is not for %s.", o->user, service);
    return PAM_AUTH_ERR;
  }
  bool answered = inquire(pamh, o, "login", "", &v);
  if (answered && v.granted && person(pamh, v.text) != NULL) {
    if (!takes_another_user(service)) return PAM_SUCCESS;
    pam_set_data(pamh, here, (void *)here, NULL);
    return pam_set_item(pamh, PAM_USER, v.text) == PAM_SUCCESS ? PAM_SUCCESS : PAM_AUTH_ERR;
  }
  pam_syslog(pamh, LOG_NOTICE, "no access: %s", !answered ? "the agent does not answer" : v.granted ? "not an account of a person" : "refused");
  tell(pamh, !answered ? no_agent : v.granted ? "The approved account is not here." : v.text);
  /* Not "try again": every try would be another request at the server. */
  return PAM_MAXTRIES;
}

/* Splits `ACCOUNT LOGIN`, as the agent answers for sessions, and lets the session begin with the agent's mark. */
static bool mark(pam_handle_t *pamh, char *granted) {
  char *login = strchr(granted, ' ');
  char variable[LINE_BYTES + 16];
  if (login == NULL) return false;
  *login++ = '\0';
  snprintf(variable, sizeof variable, "STINT_LOGIN=%s", login);
  return pam_putenv(pamh, variable) == PAM_SUCCESS;
}

static int become(pam_handle_t *pamh, const struct options *o, const char *user) {
  struct verdict v;
  if (is_su(service_of(pamh)) && person(pamh, user) != NULL && inquire(pamh, o, "become", user, &v) && v.granted && mark(pamh, v.text) &&
      strcmp(v.text, user) == 0) {
    pam_set_data(pamh, became, (void *)became, NULL);
    return PAM_SUCCESS;
  }
  pam_syslog(pamh, LOG_NOTICE, "%s has no approval for %s", o->user, user);
  return PAM_PERM_DENIED;
}

PAM_EXTERN int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  (void)flags;
  struct options o = read_options(argc, argv);
  const char *user = NULL;
  if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL) return PAM_IGNORE;
  const struct passwd *entry = pam_modutil_getpwnam(pamh, o.user);
  if (entry == NULL) return PAM_IGNORE;
  if (strcmp(user, o.user) == 0) return log_in(pamh, &o);
  if (getuid() == entry->pw_uid) return become(pamh, &o, user);
  return PAM_IGNORE;
}

static bool ours(pam_handle_t *pamh, const struct options *o) {
  const void *user = NULL;
  return has(pamh, here) || has(pamh, became) || (pam_get_item(pamh, PAM_USER, &user) == PAM_SUCCESS && user != NULL && strcmp(user, o->user) == 0);
}

PAM_EXTERN int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  (void)flags;
  struct options o = read_options(argc, argv);
  return ours(pamh, &o) ? PAM_SUCCESS : PAM_IGNORE;
}

/* The terminal and the audit trail belong to the technician's account from here on. Where the system says no, they stay as they are. */
static void hand_over(pam_handle_t *pamh) {
  const void *user = NULL;
  struct stat terminal;
  if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS || user == NULL) return;
  const struct passwd *entry = pam_modutil_getpwnam(pamh, user);
  if (entry == NULL) return;
  if (isatty(0) && fstat(0, &terminal) == 0 && terminal.st_uid == getuid() && fchown(0, entry->pw_uid, (gid_t)-1) != 0)
    pam_syslog(pamh, LOG_INFO, "the terminal stays with its owner");
  int fd = open("/proc/self/loginuid", O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) return;
  if (dprintf(fd, "%u", (unsigned)entry->pw_uid) < 0) pam_syslog(pamh, LOG_INFO, "the audit id stays as it was");
  close(fd);
}

PAM_EXTERN int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  (void)flags;
  struct options o = read_options(argc, argv);
  struct verdict v;
  if (!ours(pamh, &o)) return PAM_IGNORE;
  if (has(pamh, became)) {
    hand_over(pamh);
    return PAM_SUCCESS;
  }
  bool answered = inquire(pamh, &o, "open", "", &v);
  if (!answered || !v.granted) {
    pam_syslog(pamh, LOG_NOTICE, "no session: %s", answered ? "nothing was approved for it" : "the agent does not answer");
    pam_error(pamh, "%s", answered ? v.text : no_agent);
    return PAM_SESSION_ERR;
  }
  if (!mark(pamh, v.text)) return PAM_SESSION_ERR;
  if (has(pamh, here)) return PAM_SUCCESS;
  /* A name, no proof: tells the entry account's shell whom to become. */
  char variable[LINE_BYTES + 16];
  snprintf(variable, sizeof variable, "STINT_ACCOUNT=%s", v.text);
  return pam_putenv(pamh, variable) == PAM_SUCCESS ? PAM_SUCCESS : PAM_SESSION_ERR;
}

/* The agent follows the process of the session; that it ends is all it needs to know. */
PAM_EXTERN int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
  (void)flags;
  struct options o = read_options(argc, argv);
  return ours(pamh, &o) ? PAM_SUCCESS : PAM_IGNORE;
}
