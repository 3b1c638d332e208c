from dataclasses import dataclass


class CatalogueError(ValueError): pass
@dataclass(frozen=True)
class Column:
    id: str; name: str; url: str; site: str; enabled: bool; evidence: str; paging: str|None=None
def load_catalogue(path=None):
    return {"zjxw": Column("zjxw","浙江新闻","http://zjnews.zjol.com.cn/zjnews/zjxw/","zjnews.zjol.com.cn",True,"SEL")}
def site_name(host): return {"zjnews.zjol.com.cn":"浙江新闻","china.zjol.com.cn":"时政","zjtyol.zjol.com.cn":"体育"}.get(host)
