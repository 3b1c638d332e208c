"""Describes a news site by data: hosts, URL forms, columns, digital papers, templates. zjol.com.cn ships."""
