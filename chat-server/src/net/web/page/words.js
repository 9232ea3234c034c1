// What the page says, in the language that the browser asks for. A row is one text in English, Spanish
// and Russian, and is JSON behind its key, so that a test can read it.

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
  inChannel: ["{0} here", "{0} aquí", "здесь: {0}"],
  messages: ["Messages", "Mensajes", "Сообщения"],
  older: ["Older messages…", "Mensajes anteriores…", "Более ранние сообщения…"],
  begins: ["This is where it begins.", "Aquí empieza todo.", "Здесь всё начинается."],
  hole: ["Messages are missing here. Show them", "Aquí faltan mensajes. Mostrarlos", "Здесь не все сообщения. Показать"],
  fresh: ["New", "Nuevos", "Новые"],
  newer: ["To the newest", "A los más recientes", "К новым"],
  newerCount: ["{0} new", "{0} nuevos", "новых: {0}"],
  message: ["Message to {0}", "Mensaje a {0}", "Сообщение: {0}"],
  send: ["Send", "Enviar", "Отправить"],
  unread: ["{0} unread", "{0} sin leer", "непрочитано: {0}"],
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
  failed: ["not sent: {0}", "no enviado: {0}", "не отправлено: {0}"],
  wasOther: ["you were {0} then. Send it as {1}?", "entonces eras {0}. ¿Enviarlo como {1}?", "тогда вы были {0}. Отправить как {1}?"],
  mayBeSent: ["you were {0} then, and it may have arrived. Send it as {1}?", "entonces eras {0}, y puede que llegara. ¿Enviarlo como {1}?", "тогда вы были {0}, и оно могло дойти. Отправить как {1}?"],
  again: ["Try again", "Reintentar", "Повторить"],
  edit: ["Edit", "Editar", "Изменить"],
  joined: ["{0} joined", "{0} ha entrado", "{0} теперь здесь"],
  left: ["{0} left", "{0} ha salido", "{0} вне канала"],
  youLeft: ["You are no longer in {0}. {1}", "Ya no estás en {0}. {1}", "Вас больше нет в {0}. {1}"],
  gone: ["{0} is gone", "{0} se ha ido", "{0} не в сети"],
  renamed: ["{0} is now known as {1}", "{0} ahora es {1}", "{0} теперь {1}"],
  toldMany: ["{0} new messages", "{0} mensajes nuevos", "новых сообщений: {0}"],
  noNotify: ["The browser does not allow notifications.", "El navegador no permite avisos.", "Браузер не разрешает уведомления."],
  noCommand: ["There is no command {0}; /help names those there are.", "No existe la orden {0}; /help muestra las que hay.", "Нет команды {0}; все команды покажет /help."],
  noName: ["A name is missing: {0}", "Falta un nombre: {0}", "Не хватает имени: {0}"],
  help: ["/join #channel · /part · /switch #channel · /tell NAME TEXT · /query NAME · /nick NEW · /topic TEXT · /kick NAME · /who · /time · /record · /register · /password · /unregister · /quit · //text says /text. Shift+Enter begins a new line.", "/join #canal · /part · /switch #canal · /tell NOMBRE TEXTO · /query NOMBRE · /nick NUEVO · /topic TEXTO · /kick NOMBRE · /who · /time · /record · /register · /password · /unregister · /quit · //texto dice /texto. Mayús+Intro empieza otra línea.", "/join #канал · /part · /switch #канал · /tell ИМЯ ТЕКСТ · /query ИМЯ · /nick НОВОЕ · /topic ТЕКСТ · /kick ИМЯ · /who · /time · /record · /register · /password · /unregister · /quit · //текст скажет /текст. Shift+Enter — новая строка."],
  topicIs: ["{0} set the topic: {1}", "{0} puso el tema: {1}", "{0} — новая тема: {1}"],
  isMuted: ["{0} is muted", "{0} está en silencio", "{0} без права голоса"],
  isUnmuted: ["{0} may speak again", "{0} puede volver a hablar", "{0} снова может говорить"],
  registered: ["{0} is protected by your password now.", "{0} está protegido por tu contraseña.", "{0} теперь под защитой вашего пароля."],
  unregistered: ["{0} is no longer protected.", "{0} ya no está protegido.", "{0} больше не под защитой."],
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
};

const languages = ["en", "es", "ru"];
export const language = (navigator.languages ?? [navigator.language])
  .map((tag) => tag.slice(0, 2).toLowerCase())
  .find((tag) => languages.includes(tag)) ?? "en";
const column = languages.indexOf(language);

export function t(key, ...values) {
  return table[key][column].replace(/\{(\d)\}/g, (_, number) => values[number]);
}

/** An error of the server in words: ours where we have some, else its own. */
export function inWords({ code, detail }) {
  return Object.hasOwn(table, code) ? t(code) : detail;
}

/** Puts the words into the page. */
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
}
