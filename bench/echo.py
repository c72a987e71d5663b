"""A bare python-telegram-bot bot, put together as its documentation shows: echoes texts, answers taps."""

from __future__ import annotations

import os

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import Application, CallbackQueryHandler, ContextTypes, MessageHandler, filters

BUTTON = InlineKeyboardMarkup([[InlineKeyboardButton("Gửi", callback_data="send")]])
ASKS_FOR_BUTTON = "gửi?"


async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Say the text back, once with a button to tap."""
    message = update.message
    if message is not None and message.text is not None:
        await message.reply_text(message.text, reply_markup=BUTTON if message.text == ASKS_FOR_BUTTON else None)


async def tapped(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Let the button stop spinning and take it away."""
    query = update.callback_query
    if query is not None:
        await query.answer()
        await query.edit_message_text("Đã gửi")


def main() -> None:
    """Poll the server named by TELEGRAM_API_URL until killed."""
    server, token = os.environ["TELEGRAM_API_URL"], os.environ["TELEGRAM_BOT_TOKEN"]
    application = Application.builder().token(token).base_url(f"{server}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    application.add_handler(CallbackQueryHandler(tapped))
    application.run_polling()


if __name__ == "__main__":
    main()
