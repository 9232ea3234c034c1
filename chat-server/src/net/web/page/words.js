// What the page says, in the language that the browser asks for.

const en = {
  yourName: "Your name", password: "Password", enter: "Enter", menu: "Channels and people", times: "Times",
  record: "Record", notify: "Notify me", leave: "Leave", channels: "Channels", join: "Join",
  joinChannel: "Channel to join", directs: "Direct messages", people: "People", messages: "Messages",
  older: "Older messages…", message: "Message", send: "Send", unread: "unread", today: "Today",
  connecting: "Connecting…", lost: "Connection lost; trying again", away: "Closed; reload to come back",
  youAre: "You are {0}", waiting: "waiting", recorded: "recorded", failed: "not sent: {0}", again: "Try again",
  joined: "{0} joined", left: "{0} left", gone: "{0} is gone", renamed: "{0} is now known as {1}",
  noNotify: "The browser does not allow notifications", unknownCommand: "There is no command {0}",
  replaced: "You are here in another window",
  nick_invalid: "A name has 1 to 32 characters, no spaces, and does not begin with #, ., /, :, @ or a digit.",
  nick_taken: "Somebody has this name already. Choose another one.",
  auth_failed: "This name is protected: its password is needed, and it has to be the right one.",
  server_full: "The server is full. Try again later.", no_such_user: "Nobody of that name is here.",
  channel_invalid: "That is no channel name.", not_in_channel: "You are not in that channel.",
  text_too_long: "The message is too long.", text_invalid: "The message has characters that are not allowed.",
  not_recorded: "The server cannot record messages now.", rate_limited: "Too fast. Wait a moment.",
  too_many_channels: "You are in too many channels.",
};

const es = {
  yourName: "Tu nombre", password: "Contraseña", enter: "Entrar", menu: "Canales y personas", times: "Horas",
  record: "Grabar", notify: "Avisarme", leave: "Salir", channels: "Canales", join: "Unirse",
  joinChannel: "Canal al que unirse", directs: "Mensajes directos", people: "Personas", messages: "Mensajes",
  older: "Mensajes anteriores…", message: "Mensaje", send: "Enviar", unread: "sin leer", today: "Hoy",
  connecting: "Conectando…", lost: "Conexión perdida; reintentando", away: "Cerrado; recarga para volver",
  youAre: "Eres {0}", waiting: "esperando", recorded: "grabado", failed: "no enviado: {0}", again: "Reintentar",
  joined: "{0} ha entrado", left: "{0} ha salido", gone: "{0} se ha ido", renamed: "{0} ahora es {1}",
  noNotify: "El navegador no permite avisos", unknownCommand: "No existe la orden {0}",
  replaced: "Estás aquí en otra ventana",
  nick_invalid: "Un nombre tiene de 1 a 32 caracteres, sin espacios, y no empieza por #, ., /, :, @ ni una cifra.",
  nick_taken: "Alguien ya tiene este nombre. Elige otro.",
  auth_failed: "Este nombre está protegido: hace falta su contraseña, y que sea la correcta.",
  server_full: "El servidor está lleno. Prueba más tarde.", no_such_user: "No hay nadie con ese nombre.",
  channel_invalid: "Ese no es un nombre de canal.", not_in_channel: "No estás en ese canal.",
  text_too_long: "El mensaje es demasiado largo.", text_invalid: "El mensaje tiene caracteres no permitidos.",
  not_recorded: "El servidor no puede grabar mensajes ahora.", rate_limited: "Demasiado rápido. Espera un momento.",
  too_many_channels: "Estás en demasiados canales.",
};

const ru = {
  yourName: "Ваше имя", password: "Пароль", enter: "Войти", menu: "Каналы и люди", times: "Время",
  record: "Запись", notify: "Уведомлять", leave: "Выйти", channels: "Каналы", join: "Зайти",
  joinChannel: "В какой канал зайти", directs: "Личные сообщения", people: "Люди", messages: "Сообщения",
  older: "Более ранние сообщения…", message: "Сообщение", send: "Отправить", unread: "непрочитано", today: "Сегодня",
  connecting: "Соединение…", lost: "Связь потеряна; пробуем снова", away: "Закрыто; обновите страницу",
  youAre: "Вы — {0}", waiting: "ожидает", recorded: "записано", failed: "не отправлено: {0}", again: "Повторить",
  joined: "{0} теперь здесь", left: "{0} вне канала", gone: "{0} не в сети", renamed: "{0} теперь {1}",
  noNotify: "Браузер не разрешает уведомления", unknownCommand: "Нет команды {0}",
  replaced: "Вы здесь в другом окне",
  nick_invalid: "Имя — от 1 до 32 символов, без пробелов; не начинается с #, ., /, :, @ или цифры.",
  nick_taken: "Это имя уже занято. Выберите другое.",
  auth_failed: "Это имя защищено: нужен его верный пароль.",
  server_full: "Сервер заполнен. Попробуйте позже.", no_such_user: "Никого с таким именем здесь нет.",
  channel_invalid: "Это не имя канала.", not_in_channel: "Вас нет в этом канале.",
  text_too_long: "Сообщение слишком длинное.", text_invalid: "В сообщении есть недопустимые символы.",
  not_recorded: "Сервер сейчас не может записывать сообщения.", rate_limited: "Слишком быстро. Подождите немного.",
  too_many_channels: "Вы в слишком многих каналах.",
};

const known = { en, es, ru };
export const language = (navigator.languages ?? [navigator.language])
  .map((tag) => tag.slice(0, 2).toLowerCase())
  .find((tag) => tag in known) ?? "en";

export function t(key, ...values) {
  return known[language][key].replace(/\{(\d)\}/g, (_, number) => values[number]);
}

/** An error of the server in words: ours where we have some, else its own. */
export function inWords({ code, detail }) {
  return Object.hasOwn(known[language], code) ? t(code) : detail;
}

/** Puts the words into the page. */
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const element of document.querySelectorAll("[data-t-placeholder]")) element.placeholder = t(element.dataset.tPlaceholder);
}
