// What the page says, in the language that the browser asks for. A row is one text in English, Spanish
// and Russian, and is JSON behind its key, so that a test can read it.

import { isolated } from "./text.js";

const table = {
  intro: ["Choose a name and talk with those who are here.", "Elige un nombre y habla con quienes están aquí.", "Выберите имя и говорите с теми, кто здесь."],
  yourName: ["Your name", "Tu nombre", "Ваше имя"],
  password: ["Password", "Contraseña", "Пароль"],
  oldPassword: ["Old password", "Contraseña anterior", "Старый пароль"],
  newPassword: ["New password, 8 characters or more", "Contraseña nueva, de 8 caracteres o más", "Новый пароль, от 8 знаков"],
  enter: ["Enter", "Entrar", "Войти"],
  cancel: ["Cancel", "Cancelar", "Отмена"],
  skip: ["To the message field", "Al campo de mensaje", "К полю сообщения"],
  menu: ["Channels and direct messages", "Canales y mensajes directos", "Каналы и личные сообщения"],
  close: ["Close", "Cerrar", "Закрыть"],
  settings: ["Settings", "Ajustes", "Настройки"],
  times: ["Times", "Horas", "Время"],
  record: ["Record", "Grabar", "Запись"],
  recording: ["Recording: {0}", "Grabando: {0}", "Записано: {0}"],
  notify: ["Notify me", "Avisarme", "Уведомлять"],
  leave: ["Leave", "Salir", "Выйти"],
  quit: ["Sign out", "Cerrar sesión", "Выйти из чата"],
  channels: ["Channels", "Canales", "Каналы"],
  join: ["Join", "Unirse", "Зайти"],
  joinChannel: ["Channel to join", "Canal al que unirse", "В какой канал зайти"],
  directs: ["Direct messages", "Mensajes directos", "Личные сообщения"],
  people: ["People", "Personas", "Люди"],
  you: ["you", "tú", "вы"],
  andMore: ["and {0} more", "y {0} más", "и ещё {0}"],
  inChannel: ["{0} here", "{0} persona aquí|{0} personas aquí", "{0} человек здесь|{0} человека здесь|{0} человек здесь"],
  messages: ["Messages", "Mensajes", "Сообщения"],
  older: ["Older messages…", "Mensajes anteriores…", "Более ранние сообщения…"],
  begins: ["This is where it begins.", "Aquí empieza todo.", "Здесь всё начинается."],
  hole: ["Messages are missing here. Show them", "Aquí faltan mensajes. Mostrarlos", "Здесь не все сообщения. Показать"],
  fresh: ["New", "Nuevos", "Новые"],
  newer: ["To the newest", "A los más recientes", "К новым"],
  newerCount: ["{0} new", "{0} nuevo|{0} nuevos", "{0} новое|{0} новых|{0} новых"],
  message: ["Message to {0}", "Mensaje a {0}", "Сообщение: {0}"],
  send: ["Send", "Enviar", "Отправить"],
  unread: ["{0} unread", "{0} sin leer", "{0} непрочитанное|{0} непрочитанных|{0} непрочитанных"],
  mentions: ["{0} for you", "{0} para ti", "для вас: {0}"],
  today: ["Today", "Hoy", "Сегодня"],
  yesterday: ["Yesterday", "Ayer", "Вчера"],
  connected: ["Connected", "Conectado", "На связи"],
  connecting: ["Connecting…", "Conectando…", "Соединение…"],
  lost: ["Connection lost; trying again", "Conexión perdida; reintentando", "Связь потеряна; пробуем снова"],
  offline: ["This device is offline", "Este dispositivo está sin conexión", "Устройство не в сети"],
  tryNow: ["Try now", "Probar ahora", "Сейчас"],
  replaced: ["You are here in another window", "Estás aquí en otra ventana", "Вы здесь в другом окне"],
  comeBack: ["Continue here", "Seguir aquí", "Продолжить здесь"],
  waiting: ["waiting", "esperando", "ожидает"],
  recorded: ["recorded", "grabado", "записано"],
  failed: ["not sent", "no enviado", "не отправлено"],
  wasOther: ["you were {0} then. Send it as {1}?", "entonces eras {0}. ¿Enviarlo como {1}?", "тогда вы были {0}. Отправить как {1}?"],
  mayBeSent: ["you were {0} then, and it may have arrived. Send it as {1}?", "entonces eras {0}, y puede que llegara. ¿Enviarlo como {1}?", "тогда вы были {0}, и оно могло дойти. Отправить как {1}?"],
  again: ["Try again", "Reintentar", "Повторить"],
  edit: ["Edit", "Editar", "Изменить"],
  joined: ["{0} joined", "{0} ha entrado", "{0} теперь здесь"],
  left: ["{0} left", "{0} ha salido", "{0} вне канала"],
  youLeft: ["You are no longer in {0}", "Ya no estás en {0}", "Вас больше нет в {0}"],
  gone: ["{0} is gone", "{0} se ha ido", "{0} не в сети"],
  renamed: ["{0} is now known as {1}", "{0} ahora es {1}", "{0} теперь {1}"],
  toldMany: ["{0} new message|{0} new messages", "{0} mensaje nuevo|{0} mensajes nuevos", "{0} новое сообщение|{0} новых сообщения|{0} новых сообщений"],
  noNotify: ["The browser does not allow notifications.", "El navegador no permite avisos.", "Браузер не разрешает уведомления."],
  noCommand: ["There is no command {0}; /help names those there are.", "No existe la orden {0}; /help muestra las que hay.", "Нет команды {0}; все команды покажет /help."],
  wrongPassword: ["The password is not the right one.", "La contraseña no es correcta.", "Пароль неверен."],
  untilWhen: ["Until {0}.", "Hasta el {0}.", "До {0}."],
  because: ["Reason: {0}", "Motivo: {0}", "Причина: {0}"],
  notNow: ["There is no connection now. Try again when it is back.", "Ahora no hay conexión. Prueba cuando vuelva.", "Сейчас нет связи. Попробуйте, когда она вернётся."],
  noName: ["A name or a text is missing: {0}", "Falta un nombre o un texto: {0}", "Не хватает имени или текста: {0}"],
  help: ["/join #channel · /part · /switch #channel · /tell NAME TEXT · /query NAME · /nick NEW · /topic TEXT · /kick NAME · /who · /time · /record · /register · /password · /unregister · /quit · //text says /text. Shift+Enter begins a new line.", "/join #canal · /part · /switch #canal · /tell NOMBRE TEXTO · /query NOMBRE · /nick NUEVO · /topic TEXTO · /kick NOMBRE · /who · /time · /record · /register · /password · /unregister · /quit · //texto dice /texto. Mayús+Intro empieza otra línea.", "/join #канал · /part · /switch #канал · /tell ИМЯ ТЕКСТ · /query ИМЯ · /nick НОВОЕ · /topic ТЕКСТ · /kick ИМЯ · /who · /time · /record · /register · /password · /unregister · /quit · //текст скажет /текст. Shift+Enter — новая строка."],
  topicIs: ["{0} set the topic: {1}", "{0} puso el tema: {1}", "{0} — новая тема: {1}"],
  isMuted: ["{0} is muted", "{0} está en silencio", "{0} без права голоса"],
  isUnmuted: ["{0} may speak again", "{0} puede volver a hablar", "{0} снова может говорить"],
  registered: ["{0} is protected by your password now.", "{0} está protegido por tu contraseña.", "{0} теперь под защитой вашего пароля."],
  unregistered: ["{0} is no longer protected.", "{0} ya no está protegido.", "{0} больше не под защитой."],
};

/** Errors, by their code. */
const errors = {
  nick_invalid: ["A name has 1 to 32 characters, no spaces, letters of one script, and does not begin with #, ., /, :, @ or a digit.", "Un nombre tiene de 1 a 32 caracteres, sin espacios, letras de un solo alfabeto, y no empieza por #, ., /, :, @ ni una cifra.", "Имя — от 1 до 32 знаков, без пробелов, буквы одного алфавита; не начинается с #, ., /, :, @ или цифры."],
  nick_taken: ["Somebody has this name, or one that looks like it. Choose another one.", "Alguien tiene este nombre, o uno que se le parece. Elige otro.", "Это имя или похожее на него уже занято. Выберите другое."],
  auth_failed: ["This name is protected: its password is needed, and it has to be the right one.", "Este nombre está protegido: hace falta su contraseña, y que sea la correcta.", "Это имя защищено: нужен его верный пароль."],
  password_invalid: ["A password has 8 to 256 characters.", "Una contraseña tiene de 8 a 256 caracteres.", "В пароле от 8 до 256 знаков."],
  already_registered: ["This name is protected already.", "Este nombre ya está protegido.", "Это имя уже под защитой."],
  not_registered: ["This name is not protected.", "Este nombre no está protegido.", "Это имя не под защитой."],
  server_full: ["The server is full. Try again later.", "El servidor está lleno. Prueba más tarde.", "Сервер заполнен. Попробуйте позже."],
  no_such_user: ["Nobody of that name is here.", "No hay nadie con ese nombre.", "Никого с таким именем здесь нет."],
  no_such_channel: ["There is no such channel.", "No existe ese canal.", "Такого канала нет."],
  channel_invalid: ["That is no channel one can enter or leave.", "Ese no es un canal en el que se pueda entrar o salir.", "В такой канал нельзя зайти или выйти."],
  not_in_channel: ["You are not in that channel.", "No estás en ese canal.", "Вас нет в этом канале."],
  text_too_long: ["The message is too long.", "El mensaje es demasiado largo.", "Сообщение слишком длинное."],
  text_invalid: ["The message has characters that are not allowed.", "El mensaje tiene caracteres no permitidos.", "В сообщении есть недопустимые знаки."],
  not_recorded: ["The server cannot record messages now.", "El servidor no puede grabar mensajes ahora.", "Сервер сейчас не может записывать сообщения."],
  rate_limited: ["Too fast. Wait a moment.", "Demasiado rápido. Espera un momento.", "Слишком быстро. Подождите немного."],
  not_permitted: ["You may not do that.", "No te está permitido.", "Вам это не разрешено."],
  muted: ["You are muted.", "Te han silenciado.", "Вы лишены права голоса."],
  kicked: ["You have been put out.", "Te han expulsado.", "Вас исключили."],
  signed_out: ["The password was changed. Log in with the new one.", "Se ha cambiado la contraseña. Entra con la nueva.", "Пароль изменён. Войдите с новым."],
  banned: ["You are banned here.", "Tienes prohibida la entrada.", "Вам сюда нельзя."],
  banned_from_channel: ["You are banned from that channel.", "Tienes prohibida la entrada en ese canal.", "Вам нельзя в этот канал."],
  too_many_channels: ["You are in too many channels.", "Estás en demasiados canales.", "Вы в слишком многих каналах."],
  bad_frame: ["That is too large to be sent.", "Eso es demasiado grande para enviarlo.", "Это слишком велико для отправки."],
  bad_json: ["The server did not understand this page. Reload it.", "El servidor no ha entendido esta página. Recárgala.", "Сервер не понял эту страницу. Обновите её."],
  bad_request: ["The server did not understand that.", "El servidor no ha entendido eso.", "Сервер этого не понял."],
  unknown_type: ["This server cannot do that.", "Este servidor no puede hacer eso.", "Этот сервер так не умеет."],
  hello_required: ["Enter with a name first.", "Primero entra con un nombre.", "Сначала войдите под именем."],
  hello_timeout: ["That took too long. Try again.", "Se ha tardado demasiado. Inténtalo de nuevo.", "Слишком долго. Попробуйте ещё раз."],
  bad_version: ["This page is too old for the server. Reload it.", "Esta página es demasiado antigua para el servidor. Recárgala.", "Эта страница слишком старая для сервера. Обновите её."],
  not_your_nick: ["That is not your name now.", "Ese no es tu nombre ahora.", "Сейчас это не ваше имя."],
  no_such_ban: ["There is no such ban.", "No existe esa prohibición.", "Такого запрета нет."],
  address_invalid: ["That is not a network address.", "Eso no es una dirección de red.", "Это не сетевой адрес."],
  slow_consumer: ["Your connection is too slow for what arrives.", "Tu conexión es demasiado lenta para lo que llega.", "Ваша связь слишком медленна."],
  idle_timeout: ["The server has not heard from you for too long.", "El servidor no sabe de ti desde hace demasiado tiempo.", "Сервер слишком долго ничего от вас не получал."],
  replaced: ["You are here in another window.", "Estás aquí en otra ventana.", "Вы здесь в другом окне."],
  shutting_down: ["The server is shutting down.", "El servidor se está apagando.", "Сервер выключается."],
  internal: ["The server has a fault. Try again later.", "El servidor tiene un fallo. Prueba más tarde.", "На сервере сбой. Попробуйте позже."],
  too_many_devices: ["You are signed in on too many devices.", "Has iniciado sesión en demasiados dispositivos.", "Вы вошли на слишком многих устройствах."],
  channel_exists: ["There is such a channel already.", "Ese canal ya existe.", "Такой канал уже есть."],
  invite_only: ["That channel needs an invitation.", "Ese canal requiere invitación.", "В этот канал нужно приглашение."],
  key_wrong: ["The key of that channel is another one.", "La clave de ese canal es otra.", "Ключ этого канала другой."],
  channel_full: ["That channel is full.", "Ese canal está lleno.", "Этот канал заполнен."],
  account_required: ["That needs a name with a password.", "Para eso hace falta un nombre con contraseña.", "Для этого нужно имя с паролем."],
  registration_closed: ["New accounts are not possible here.", "Aquí no se pueden crear cuentas.", "Здесь нельзя создать учётную запись."],
  invitation_invalid: ["The invitation is not valid.", "La invitación no es válida.", "Приглашение недействительно."],
  no_such_message: ["There is no such message.", "No existe ese mensaje.", "Такого сообщения нет."],
  emoji_invalid: ["That is not an emoji.", "Eso no es un emoji.", "Это не эмодзи."],
  no_such_device: ["There is no such device.", "No existe ese dispositivo.", "Такого устройства нет."],
};

/** Reasons of leaving that a server gives by itself. */
const reasons = {
  kicked: ["put out", "por expulsión", "исключение"],
  banned: ["banned", "por prohibición", "запрет"],
  "timed out": ["no answer", "sin respuesta", "нет ответа"],
  "slow consumer": ["connection too slow", "conexión demasiado lenta", "слишком медленная связь"],
  "failed to log in": ["wrong password", "contraseña incorrecta", "неверный пароль"],
  "the server ended": ["the server was shut down", "el servidor se apagó", "сервер выключен"],
};

const languages = ["en", "es", "ru"];
const tags = (navigator.languages ?? [navigator.language]).flatMap((tag) => /^[a-z]{2,3}(-[a-z0-9]{2,8})*/i.exec(tag)?.[0] ?? []);
const tagOf = (language) => tags.find((tag) => tag.slice(0, 2).toLowerCase() === language);
export const language = tags.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => languages.includes(tag)) ?? "en";
const column = languages.indexOf(language);
/** The language of the page as the reader's region writes dates and numbers. */
const locale = tagOf(language) ?? language;
const number = new Intl.NumberFormat(locale);
/** The forms of a counted text stand in this order, with a bar between them. */
const FORMS = { en: ["one", "other"], es: ["one", "other"], ru: ["one", "few", "many"] }[language];
const plural = new Intl.PluralRules(locale);
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "full" });

export const momentInWords = (date) => moment.format(date);
export const dayInWords = (date) => day.format(date);

/** Returns the time of day; `short` leaves out a.m. and p.m. */
export function timeInWords(date, short) {
  const parts = clock.formatToParts(date).filter(({ type }) => !short || type !== "dayPeriod");
  return parts.map(({ value }) => value).join("").trim();
}

/** Returns the text of `key`. Numbers choose the form of a counted text; other values are isolated. */
export function t(key, ...values) {
  const forms = (table[key] ?? errors[key])[column].split("|");
  const form = forms.length > 1 ? FORMS.indexOf(plural.select(values[0])) : 0;
  return (forms[form] ?? forms.at(-1)).replace(/\{(\d)\}/g, (_, place) => {
    const value = values[place];
    return typeof value === "number" ? number.format(value) : isolated(value);
  });
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
/** Codes whose detail names the end and the reason: `… until TIME: REASON`. */
const RULINGS = ["kicked", "banned", "muted", "banned_from_channel"];
/** Requests that a wrong password refuses, by the beginning of their id. */
const OWN_PASSWORD = /^(password|unregister)-/;

const momentOf = (time) => (Number.isNaN(Date.parse(time)) ? time : moment.format(new Date(time)));

/** Returns an error in words: by its code where the page has words for it, else the server's own. */
export function inWords({ code, detail = "", id = "" }) {
  if (code === "auth_failed" && OWN_PASSWORD.test(id)) return t("wrongPassword");
  if (!Object.hasOwn(errors, code)) return isolated(detail.replace(TIME, momentOf));
  if (!RULINGS.includes(code)) return t(code);
  const [, until, reason] = /^[^:]*?(?: until (\S+Z))?(?:: ([^]*))?$/.exec(detail) ?? [];
  return [t(code), until && t("untilWhen", momentOf(until)), reason && t("because", reason)].filter(Boolean).join(" ");
}

/** Returns a reason of leaving: one that a server gives by itself in words, any other as it is. */
export function reasonInWords(reason) {
  return Object.hasOwn(reasons, reason) ? reasons[reason][column] : isolated(reason);
}

/** Puts the words into the page. */
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
}
